import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeCa } from '../../../demo/certificate-authority.ts';
import { freePort } from '../../../demo/listen.ts';
import { eventually } from '../../support/eventually.ts';
import { runProgram } from '../../support/service-process.ts';
import { pgadminPython } from './pgadmin.ts';
import type { Recipe } from './recipes.ts';
import { setUpStage, type ServiceName, type Stage } from './stage.ts';

/* People's programs against the same servers: psql, mariadb, pgAdmin, the rds-token script and the agent. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const RDS_TOKEN = fileURLToPath(new URL('../../../examples/clients/sh/rds-token', import.meta.url));
const HEADLESS = fileURLToPath(new URL('connect-with-pgadmin.py', import.meta.url));
const POSTGRES: Pick<Recipe, 'database'> = { database: 'PostgreSQL' };
const WHO = "select current_user || ' ' || (select ssl from pg_stat_ssl where pid = pg_backend_pid())";

type Desk = {
  readonly stage: Stage;
  readonly home: string;
  readonly caFile: string;
  /** Runs a shell text at a user's desk: the databases' names lead to this machine. */
  sh(
    text: string,
    service?: ServiceName,
  ): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Asks the service as the user's curl does. */
  get(path: string, service?: ServiceName): Promise<string>;
};

function deskOf(t: TestContext, stage: Stage): Desk {
  const home = mkdtempSync(join(tmpdir(), 'rtv-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const caFile = join(home, 'rds-ca.pem');
  writeFileSync(caFile, stage.ca.certPem);
  const envOf = (service: ServiceName) => stage.env({ ...POSTGRES, file: '', command: [], version: [] }, service);
  return {
    stage,
    home,
    caFile,
    async sh(text, service = 'large') {
      const { RTV_URL, RTV_JWT_FILE } = envOf(service);
      const withHosts = 'mount --bind "$0" /etc/hosts && exec "$@"';
      const args = ['-m', 'sh', '-c', withHosts, stage.hostsFile, 'dash', '-c', text];
      const env = { PATH: process.env['PATH'] ?? '', HOME: home, RTV_URL, RTV_JWT_FILE };
      const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
      child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
      await once(child, 'close');
      return { status: child.exitCode, stdout, stderr };
    },
    async get(path, service = 'large') {
      const { RTV_URL, RTV_JWT_FILE } = envOf(service);
      const jwt = readFileSync(RTV_JWT_FILE, 'utf8').trim();
      const response = await fetch(`${RTV_URL}${path}`, { headers: { authorization: `Bearer ${jwt}` } });
      assert.equal(response.status, 200);
      return response.text();
    },
  };
}

test('programs that people use', { timeout: 280_000 }, async (t) => {
  const stage = await setUpStage(t);

  await t.test('rds-token keeps a token at 0600, and asks once for many calls', async (t) => {
    const { sh, home } = deskOf(t, stage);
    const tokens = await sh(`for i in 1 2 3; do ${RDS_TOKEN} orders app_rw; done`);
    assert.equal(tokens.status, 0, tokens.stderr);
    assert.equal(new Set(tokens.stdout.trimEnd().split('\n')).size, 1);
    const folder = join(home, '.cache', 'rds-token');
    const [file = '', ...more] = readdirSync(folder);
    assert.deepEqual(
      [more, statSync(folder).mode & 0o777, statSync(join(folder, file)).mode & 0o777],
      [[], 0o700, 0o600],
    );
    // Another user is another token.
    const other = await sh(`${RDS_TOKEN} orders app_ro`);
    assert.match(other.stdout, /DBUser=app_ro/);
    assert.equal(readdirSync(folder).length, 2);
  });

  await t.test('the helper is installed as docs/connect.md says, and tells what is missing', async (t) => {
    const page = readFileSync(new URL('../../../docs/connect.md', import.meta.url), 'utf8');
    const [, install = ''] = /```sh\n(mkdir -p ~\/bin[^`]*)```/.exec(page) ?? [];
    const { sh } = deskOf(t, stage);
    const given = '$RTV_URL $RTV_JWT_FILE';
    const said = await sh(`set -e\ncd ${ROOT}\ngiven="${given}"\nunset RTV_URL RTV_JWT_FILE\n${install}
      rds-token orders app_rw 2>&1 && exit 9
      RTV_URL=\${given% *} RTV_JWT_FILE=\${given#* } rds-token orders app_rw
      RTV_URL=\${given% *} RTV_JWT_FILE=\${given#* } rds-token --ca orders app_rw /nowhere/ca.pem 2>&1 && exit 9
      RTV_URL=http://127.0.0.1:1 RTV_JWT_FILE=\${given#* } rds-token orders app_rw 2>&1 && exit 9
      true`);
    assert.equal(said.status, 0, said.stdout + said.stderr);
    const [noJwt, token, noFolder, noService] = said.stdout.split('\n');
    assert.match(
      noJwt ?? said.stderr,
      /^rds-token: there is no file .+\/\.config\/rds-token\/jwt, which should hold your JWT$/,
    );
    assert.match(token ?? '', /DBUser=app_rw/);
    assert.equal(noFolder, 'rds-token: /nowhere/ca.pem cannot be written: is its folder there?');
    assert.match(noService ?? '', /^rds-token: no token: http:\/\/127\.0\.0\.1:1 cannot be asked: curl: /);
  });

  await t.test('rds-token asks for a new token at refresh_after', async (t) => {
    const { sh } = deskOf(t, stage);
    const first = await sh(`${RDS_TOKEN} orders app_rw`, 'compressed');
    assert.equal((await sh(`${RDS_TOKEN} orders app_rw`, 'compressed')).stdout, first.stdout);
    await pause(11_000);
    const second = await sh(`${RDS_TOKEN} orders app_rw`, 'compressed');
    assert.equal(second.status, 0, second.stderr);
    assert.notEqual(second.stdout, first.stdout);
  });

  await t.test('rds-token bridges a service that cannot be reached, and not one that refuses', async (t) => {
    const { sh, home } = deskOf(t, stage);
    const first = await sh(`${RDS_TOKEN} orders app_rw`);
    const folder = join(home, '.cache', 'rds-token');
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const [key = '', , expires = '', token = ''] = readFileSync(file, 'utf8').split('\n');
    const due = (url: string) => [key.replace(/^\S+/, url), '2020-01-01T00:00:00.000Z', expires, token, ''].join('\n');
    writeFileSync(file, due(key.split(' ')[0] ?? ''));
    const bridged = await sh(
      `printf 'x.y.z' > $HOME/jwt; RTV_URL=http://127.0.0.1:1; export RTV_URL; ${RDS_TOKEN} orders app_rw`,
    );
    assert.notEqual(bridged.status, 0, 'a token of another service was given');
    const refused = await sh(`printf 'x.y.z' > "$HOME/jwt"; RTV_JWT_FILE=$HOME/jwt ${RDS_TOKEN} orders app_rw`);
    assert.match(refused.stderr, /no token: 401/);
    assert.equal(refused.stdout, '');
    // The service of this key is gone: nobody answers curl.
    mkdirSync(join(home, 'bin'));
    writeFileSync(join(home, 'bin', 'curl'), '#!/bin/sh\necho "curl: (7) nobody answers" >&2\nexit 7\n', {
      mode: 0o755,
    });
    const offline = `PATH=$HOME/bin:$PATH; export PATH; ${RDS_TOKEN} orders app_rw`;
    const gone = await sh(offline);
    assert.equal(gone.stdout, first.stdout, gone.stderr);
    assert.match(gone.stderr, /the kept one serves until/);
    writeFileSync(file, due(key.split(' ')[0] ?? '').replace(expires, '2020-01-01T00:00:01.000Z'));
    const ended = await sh(offline);
    assert.deepEqual([ended.status, ended.stdout], [1, '']);
  });

  await t.test('rds-token keeps nothing in a folder that others may read, and sends no JWT over http', async (t) => {
    const { sh, home } = deskOf(t, stage);
    const folder = join(home, '.cache', 'rds-token');
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    assert.equal((await sh(`${RDS_TOKEN} orders app_rw`)).status, 0);
    assert.deepEqual(readdirSync(folder), []);
    const plain = await sh(`RTV_URL=http://vendor.example ${RDS_TOKEN} orders app_rw`);
    assert.match(plain.stderr, /the JWT would travel in clear/);
    for (const deceiving of [
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.evil.example',
      'localhost:x@evil.example',
      '127.0.0.1@evil.example',
      '[::1]@evil.example',
      '[::1].evil.example',
      '192.0.2.1/:127.0.0.1',
    ]) {
      const { status, stderr } = await sh(`RTV_URL='http://${deceiving}' ${RDS_TOKEN} orders app_rw`);
      assert.equal(status, 1);
      assert.match(stderr, /the JWT would travel in clear|has user info|bad.illegal format/, deceiving);
    }
  });

  await t.test('rds-token reads its configuration, and fetches the CA bundle', async (t) => {
    const { sh, home } = deskOf(t, stage);
    const { RTV_URL, RTV_JWT_FILE } = stage.env({ ...POSTGRES, file: '', command: [], version: [] }, 'large');
    mkdirSync(join(home, '.config', 'rds-token'), { recursive: true });
    writeFileSync(join(home, '.config', 'rds-token', 'config'), `RTV_URL=${RTV_URL}\nRTV_JWT_FILE=${RTV_JWT_FILE}\n`);
    const { status, stderr } = await sh(`unset RTV_URL RTV_JWT_FILE; ${RDS_TOKEN} --ca orders app_rw $HOME/vended.pem`);
    assert.equal(status, 0, stderr);
    assert.equal(readFileSync(join(home, 'vended.pem'), 'utf8').trim(), stage.ca.certPem.trim());
  });

  await t.test('psql’s line, as the service writes it, connects', async (t) => {
    const { get, sh, caFile } = deskOf(t, stage);
    const line = await get(`/v1/databases/orders/clients/psql?user=app_rw&ca_file=${caFile}&command=${RDS_TOKEN}`);
    const { stdout, stderr } = await sh(`${line.trimEnd()} -XAtc "${WHO}"`);
    assert.equal(stdout, 'app_rw true\n', stderr);
  });

  await t.test('a section of pg_service.conf connects', async (t) => {
    const { get, sh, home, caFile } = deskOf(t, stage);
    writeFileSync(
      join(home, '.pg_service.conf'),
      await get(`/v1/databases/orders/clients/pg_service?user=app_ro&ca_file=${caFile}`),
    );
    const { stdout, stderr } = await sh(
      `PGPASSWORD="$(${RDS_TOKEN} orders app_ro)" psql service=orders -XAtc "${WHO}"`,
    );
    assert.equal(stdout, 'app_ro true\n', stderr);
  });

  await t.test('the line of the mariadb client connects', async (t) => {
    const { get, sh, caFile } = deskOf(t, stage);
    const line = await get(`/v1/databases/billing/clients/mysql?user=app_ro&ca_file=${caFile}&command=${RDS_TOKEN}`);
    const { stdout, stderr } = await sh(`${line.trimEnd()} -N -B -e 'select current_user()'`);
    assert.equal(stdout, 'app_ro@%\n', stderr);
  });

  await t.test('libpq and mariadb say what docs/troubleshooting.md explains', async (t) => {
    const page = readFileSync(new URL('../../../docs/troubleshooting.md', import.meta.url), 'utf8');
    const { sh, caFile, home } = deskOf(t, stage);
    const host = 'host=orders.cluster-abc.us-west-2.rds.amazonaws.com';
    const psql = (password: string, more: string) =>
      sh(
        `PGPASSWORD=${password} psql "${host} port=${stage.servers.PostgreSQL.port} dbname=orders user=app_rw ${more}" -c 'select 1'`,
      );
    const verified = `sslmode=verify-full sslrootcert=${caFile}`;
    const wrongCa = join(home, 'wrong.pem');
    writeFileSync(wrongCa, (await makeCa('wrong')).certPem);
    for (const [run, words] of [
      [psql('stale', verified), 'PAM authentication failed for user "app_rw"'],
      [psql('stale', 'sslmode=disable'), 'no pg_hba.conf entry for host'],
      [psql('stale', `sslmode=verify-full sslrootcert=${wrongCa}`), 'certificate verify failed'],
      [psql('stale', 'sslmode=verify-full'), '/.postgresql/root.crt" does not exist'],
      [
        sh(
          `psql "host=localhost port=${stage.servers.PostgreSQL.port} dbname=orders user=app_rw ${verified}" -c 'select 1'`,
        ),
        'does not match host name',
      ],
      [
        sh(
          `MYSQL_PWD=stale mariadb -h billing.abc.us-west-2.rds.amazonaws.com -P ${stage.servers.MariaDB.port} -u app_rw --ssl-ca=${wrongCa} --ssl-verify-server-cert`,
        ),
        'unable to get local issuer certificate',
      ],
      [
        sh(
          `MYSQL_PWD=stale mariadb -h billing.abc.us-west-2.rds.amazonaws.com -P ${stage.servers.MariaDB.port} -u app_rw --ssl-ca=${caFile} --ssl-verify-server-cert`,
        ),
        "Access denied for user 'app_rw'@",
      ],
      [
        sh(
          `MYSQL_PWD=stale mariadb -h 127.0.0.1 -P ${stage.servers.MariaDB.port} -u app_rw --ssl-ca=${caFile} --ssl-verify-server-cert`,
        ),
        'Validation of SSL server certificate failed',
      ],
      [
        sh(`PGPASSWORD="$(false)" psql "${host} port=${stage.servers.PostgreSQL.port} user=app_rw ${verified}" -w`),
        'fe_sendauth: no password supplied',
      ],
      [sh(`mariadb -h localhost -u app_rw`), "Can't connect to local server through socket"],
    ] as const) {
      const { stderr } = await run;
      assert.ok(stderr.includes(words), `${words}: ${stderr}`);
      assert.ok(page.includes(words), `docs/troubleshooting.md does not have: ${words}`);
    }
  });

  await t.test(
    'the agent keeps a .pgpass fresh through two refreshes, and psql connects all along',
    { timeout: 90_000 },
    async (t) => {
      const desk = deskOf(t, stage);
      stage.check.setClockAhead(-590_000);
      stage.check.setOldest(15_000);
      t.after(() => {
        stage.check.setClockAhead(0);
        stage.check.setOldest(Number.POSITIVE_INFINITY);
      });
      const { RTV_URL, RTV_JWT_FILE } = stage.env({ ...POSTGRES, file: '', command: [], version: [] }, 'compressed');
      const pgpass = join(desk.home, 'pgpass');
      const told = join(desk.home, 'told');
      // The agent counts a token's life from when it asked: to compress its time too, its answers tell a short life.
      const url = await compressedAnswers(t, RTV_URL);
      const args = ['agent', '--url', url, '--jwt-file', RTV_JWT_FILE, '--database', 'orders', '--user', 'app_rw'];
      const files = ['--write', `pgpass=${pgpass}`, '--ca-file', join(desk.home, 'agent-ca.pem')];
      const healthPort = await freePort();
      const { child, ended, stdout } = runProgram(
        t,
        [...args, ...files, '--exec', `echo told >> ${told}`, '--health', String(healthPort)],
        { PATH: process.env['PATH'] ?? '' },
      );
      await eventually(async () => assert.ok(await Promise.resolve(existsSync(pgpass))));
      const texts = new Set<string>();
      const end = performance.now() + 25_000;
      while (performance.now() < end) {
        texts.add(readFileSync(pgpass, 'utf8'));
        const { stdout: who, stderr } = await desk.sh(
          `PGPASSFILE=${pgpass} psql "host=orders.cluster-abc.us-west-2.rds.amazonaws.com port=${stage.servers.PostgreSQL.port} dbname=orders user=app_rw sslmode=verify-full sslrootcert=${desk.home}/agent-ca.pem" -XAtc "${WHO}"`,
        );
        assert.equal(who, 'app_rw true\n', stderr);
        await pause(500);
      }
      assert.equal((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status, 200);
      assert.ok(texts.size >= 3, `${texts.size} tokens`);
      assert.equal(statSync(pgpass).mode & 0o777, 0o600);
      assert.ok(readFileSync(told, 'utf8').split('\n').length > 2);
      assert.ok(!stdout().includes('X-Amz'));
      child.kill('SIGTERM');
      assert.equal((await ended).status, 0);
      assert.ok(existsSync(pgpass));
    },
  );

  await t.test(
    'pgAdmin imports servers.json and connects with the command, in both modes',
    { timeout: 200_000 },
    async (t) => {
      const python = pgadminPython();
      for (const mode of ['desktop', 'server'] as const) {
        const { get, sh, home, caFile } = deskOf(t, stage);
        const where = mode === 'desktop' ? `&ca_file=${caFile}` : '&mode=server&ca_file=/rds-ca.pem';
        const servers = join(home, 'servers.json');
        writeFileSync(
          servers,
          await get(`/v1/databases/orders/clients/pgadmin?user=app_rw&command=${RDS_TOKEN}${where}`),
        );
        const { status, stdout, stderr } = await sh(`${python} ${HEADLESS} ${mode} ${servers} ${caFile}`);
        assert.equal(status, 0, stderr + stdout);
        assert.match(stdout, /Server connected/);
      }
    },
  );
});

/** Passes on to a service, and makes 600 s of a token 10 s. */
async function compressedAnswers(t: TestContext, target: string): Promise<string> {
  const { startChangingProxy } = await import('./hostile-network.ts');
  const proxy = await startChangingProxy(
    { service: target },
    {
      faster: {
        answer: (body) => {
          if (!body.startsWith('{')) return body;
          const answer = JSON.parse(body);
          const at = (ms: number) => new Date(Date.parse(answer.issued_at) + ms).toISOString();
          return JSON.stringify({ ...answer, refresh_after: at(10_000), expires_at: at(15_000) });
        },
      },
    },
  );
  t.after(() => proxy.close());
  return `${proxy.url}/service/faster`;
}
