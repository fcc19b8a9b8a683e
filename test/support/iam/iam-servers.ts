import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Issued } from '../../../demo/certificate-authority.ts';
import { freePort } from '../../../demo/listen.ts';
import { eventually } from '../eventually.ts';
import { type Rows, startPostgres } from '../postgres-server.ts';
import type { PamService } from './pam-service.ts';

/** A database server that lets users in by RDS auth tokens, over TLS alone, as RDS does with `rds.force_ssl`. */
export type IamServer = {
  readonly port: number;
  /** Presents another certificate from the next connection on. */
  present(certificate: Issued): Promise<void>;
  /** Ends every session of these users, as a failover does. */
  endSessions(): Promise<void>;
  version(): Promise<string>;
  remove(): Promise<void>;
};

/** Debian's PostgreSQL. `users` may log in with tokens; the refusal reads as on RDS, "PAM authentication failed". */
export async function startIamPostgres(
  pam: PamService,
  certificate: Issued,
  users: readonly string[],
): Promise<IamServer> {
  const server = await startPostgres({ tls: certificate });
  const hba = [
    'local all all trust',
    ...['127.0.0.1/32', '::1/128'].map((address) => `hostssl all +rds_iam ${address} pam pamservice=${pam.name}`),
  ];
  server.write('pg_hba.conf', `${hba.join('\n')}\n`);
  for (const sql of ['CREATE ROLE rds_iam', 'CREATE DATABASE orders']) await server.query('postgres', sql);
  for (const user of users) await server.query('postgres', `CREATE ROLE ${user} LOGIN; GRANT rds_iam TO ${user}`);
  await server.query('postgres', 'SELECT pg_reload_conf()');
  return {
    port: server.port,
    async present({ certPem, keyPem }) {
      server.write('server.crt', certPem);
      server.write('server.key', keyPem);
      const before = server.log().length;
      await server.query('postgres', 'SELECT pg_reload_conf()');
      await eventually(async () => {
        if (!server.log().slice(before).includes('received SIGHUP')) throw new Error('not reloaded yet');
        await Promise.resolve();
      });
    },
    async endSessions() {
      const named = users.map((user) => `'${user}'`).join();
      await server.query(
        'postgres',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN (${named})`,
      );
    },
    version: async () => String((await server.query('postgres', 'SHOW server_version'))[0]?.['server_version']),
    remove: () => server.remove(),
  };
}

/** Debian's MariaDB with its PAM plugin, which makes clients send the token with `mysql_clear_password`, as RDS does. */
export async function startIamMariaDb(
  pam: PamService,
  certificate: Issued,
  users: readonly string[],
): Promise<IamServer> {
  const root = mkdtempSync(join(tmpdir(), 'rtv-iam-mariadb-'));
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'mysql'], { encoding: 'utf8' }).stdout));
  if (!uid || !gid) throw new Error('there is no user mysql: apt-get install mariadb-server');
  function write(name: string, text: string): void {
    writeFileSync(join(root, name), text);
    chownSync(join(root, name), Number(uid), Number(gid));
  }
  chownSync(root, uid, gid);
  write('cert.pem', certificate.certPem);
  write('key.pem', certificate.keyPem);
  const data = ['--no-defaults', `--datadir=${join(root, 'data')}`];
  const made = spawnSync(
    'mariadb-install-db',
    [...data, '--auth-root-authentication-method=normal', '--user=mysql', '--skip-test-db'],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`mariadb-install-db failed: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const socketPath = join(root, 'socket');
  const child = spawn(
    'mariadbd',
    [
      ...data,
      ...[`--socket=${socketPath}`, `--port=${port}`, '--bind-address=127.0.0.1', `--pid-file=${join(root, 'pid')}`],
      ...[`--ssl-cert=${join(root, 'cert.pem')}`, `--ssl-key=${join(root, 'key.pem')}`],
      ...['--plugin-load-add=auth_pam', '--pam-use-cleartext-plugin=ON', '--performance-schema=ON'],
      ...['--max-connect-errors=100000', '--innodb-buffer-pool-size=16M'],
    ],
    { uid, gid, cwd: root, stdio: 'ignore' },
  );
  async function query(sql: string): Promise<Rows> {
    const connection = await createConnection({ socketPath, user: 'root' });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows;
    } finally {
      await connection.end();
    }
  }
  await eventually(() => query('SELECT 1'), 30_000);
  await query('CREATE DATABASE billing');
  for (const user of users) {
    await query(`CREATE USER ${user}@'%' IDENTIFIED VIA pam USING '${pam.name}' REQUIRE SSL`);
    await query(`GRANT SELECT ON billing.* TO ${user}@'%'`);
    await query(`GRANT SELECT ON performance_schema.session_connect_attrs TO ${user}@'%'`);
  }
  return {
    port,
    async present({ certPem, keyPem }) {
      write('cert.pem', certPem);
      write('key.pem', keyPem);
      await query('FLUSH SSL');
    },
    async endSessions() {
      for (const user of users) await query(`KILL SOFT USER ${user}`);
    },
    version: async () => String((await query('SELECT version() AS version'))[0]?.['version']),
    async remove() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(root, { recursive: true, force: true });
    },
  };
}
