import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createConnection, type Connection } from 'mysql2/promise';
import { freePort } from '../../demo/listen.ts';
import { eventually } from './eventually.ts';

export type MariaDbServer = {
  readonly port: number;
  /** A session of the superuser, over the Unix socket. */
  superuser(): Promise<Connection>;
};

/** Starts a real MariaDB (Debian's package `mariadb-server`) with `performance_schema` and TLS, as the user `mysql`. */
export async function startMariaDb(
  t: TestContext,
  tls: { readonly certPem: string; readonly keyPem: string },
): Promise<MariaDbServer> {
  const root = mkdtempSync(join(tmpdir(), 'rtv-mariadb-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'mysql'], { encoding: 'utf8' }).stdout));
  if (!uid || !gid) throw new Error('there is no user mysql: apt-get install mariadb-server');
  const path = (name: string) => join(root, name);
  writeFileSync(path('cert.pem'), tls.certPem);
  writeFileSync(path('key.pem'), tls.keyPem);
  for (const file of [root, path('cert.pem'), path('key.pem')]) chownSync(file, uid, gid);
  const data = [`--datadir=${path('data')}`, '--no-defaults'];
  const made = spawnSync(
    'mariadb-install-db',
    [...data.toReversed(), '--auth-root-authentication-method=normal', '--user=mysql'],
    {
      encoding: 'utf8',
    },
  );
  if (made.status !== 0) throw new Error(`mariadb-install-db failed: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const socketPath = path('socket');
  const child = spawn(
    'mariadbd',
    [
      ...data.toReversed(),
      ...[`--socket=${socketPath}`, `--port=${port}`, '--bind-address=127.0.0.1', `--pid-file=${path('pid')}`],
      ...['--performance-schema=ON', `--ssl-cert=${path('cert.pem')}`, `--ssl-key=${path('key.pem')}`],
    ],
    { uid, gid, cwd: root, stdio: 'ignore' },
  );
  t.after(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  const superuser = () => createConnection({ socketPath, user: 'root' });
  await eventually(async () => (await superuser()).end(), 30_000);
  return { port, superuser };
}
