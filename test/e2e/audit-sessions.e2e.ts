import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { makeCa } from '../../demo/certificate-authority.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { documentedQuery } from '../support/documented-query.ts';
import { eventually } from '../support/eventually.ts';
import { startMariaDb } from '../support/mariadb-server.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { API, post, startService } from '../support/running-service.ts';

/** Runs a shell command line until the end of the test. */
function startShell(t: TestContext, line: string, env: Readonly<Record<string, string>>): { stderr(): string } {
  const child = spawn('sh', ['-c', line], { env: { PATH: process.env['PATH'], ...env }, detached: true });
  t.after(() => {
    // It has ended already where its server did.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += String(text)));
  return { stderr: () => stderr };
}

test('the documented query joins a psql session, opened with the env rendering, to its record in the same server', async (t) => {
  const ca = await makeCa('Test CA');
  const server = await startPostgres({ tls: await ca.issue({ dnsNames: ['localhost'] }) });
  t.after(() => server.remove());
  const database = await server.createDatabase();
  const folder = testDirectory(t);
  writeFileSync(join(folder, 'ca.pem'), ca.certPem);
  const service = await startService(t, {
    config: (text) =>
      `${text.replace(
        'writer: Orders.cluster-abc.us-west-2.rds.amazonaws.com:5432',
        `writer: { host: orders.cluster-abc.us-west-2.rds.amazonaws.com, connectHost: localhost, connectPort: ${server.port} }`,
      )}audit: { store: ${JSON.stringify(server.storeConfig(database))} }\n`,
  });
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw', format: 'env' }));
  const auditId = response.headers.get('rtv-audit-id');
  const env = await response.text();
  const token = /PGPASSWORD='([^']+)'/.exec(env)?.[1] ?? assert.fail();
  await server.query(database, `CREATE ROLE app_rw LOGIN PASSWORD '${token}'`);
  await server.query(database, 'CREATE DATABASE orders');
  writeFileSync(join(folder, 'session.env'), env);
  const shell = startShell(t, `. ${folder}/session.env; psql -c 'SELECT pg_sleep(60)'`, {
    PGSSLROOTCERT: join(folder, 'ca.pem'),
  });
  // Whoever may log in can name its session so: nobody's query may fail for it.
  const hostile = startShell(
    t,
    `. ${folder}/session.env; PGAPPNAME=rtv:${'-'.repeat(36)} psql -c 'SELECT pg_sleep(61)'`,
    {
      PGSSLROOTCERT: join(folder, 'ca.pem'),
    },
  );
  await eventually(async () => {
    const named = await server.query(database, 'SELECT application_name FROM pg_stat_activity');
    assert.ok(
      named.some((each) => each['application_name'] === `rtv:${'-'.repeat(36)}`),
      hostile.stderr(),
    );
  });
  const [row] = await eventually(async () => {
    const rows = await server.query(database, documentedQuery('audit.md', 'postgres'));
    // Connected, it has not asked anything yet.
    assert.equal(rows[0]?.['query'], 'SELECT pg_sleep(60)', shell.stderr());
    return rows;
  });
  assert.deepEqual(
    [row?.['id'], row?.['usename'], row?.['query'], row?.['issuer'], row?.['subject'], row?.['grant_name']],
    [auditId, 'app_rw', 'SELECT pg_sleep(60)', 'cluster', API, 'api'],
  );
});

test('the documented queries tie MariaDB sessions, of the command line and of a driver, to their records', async (t) => {
  const ca = await makeCa('Test CA');
  const server = await startMariaDb(t, await ca.issue({ dnsNames: ['localhost'] }));
  const folder = testDirectory(t);
  writeFileSync(join(folder, 'ca.pem'), ca.certPem);
  const service = await startService(t, {
    config: (text) =>
      text
        .replace('engine: mysql', 'engine: mariadb')
        .replace(
          'writer: "billing.proxy-def.eu-central-1.rds.amazonaws.com:3306"',
          `writer: { host: billing.proxy-def.eu-central-1.rds.amazonaws.com, connectHost: localhost, connectPort: ${server.port} }`,
        ),
  });
  const superuser = await server.superuser();
  t.after(() => superuser.end());
  await superuser.query('CREATE DATABASE billing');
  const ask = (format: string) =>
    service.ask('/v1/tokens', post({ database: 'billing', user: 'app_ro', ...(format === 'json' ? {} : { format }) }));

  // The server takes the first token as the password of the user; RDS would check it.
  const first = await ask('my_cnf');
  const options = await first.text();
  const token = /password="([^"]+)"/.exec(options)?.[1] ?? assert.fail();
  await superuser.query('CREATE USER app_ro@localhost IDENTIFIED BY ? REQUIRE SSL', [token]);
  await superuser.query('GRANT SELECT ON billing.* TO app_ro@localhost');
  const file = join(folder, 'my.cnf');
  writeFileSync(file, options, { mode: 0o600 });
  const shell = startShell(
    t,
    `mariadb --defaults-extra-file=${file} --protocol=tcp --ssl-ca=${folder}/ca.pem -e 'SELECT SLEEP(60)'`,
    {},
  );
  const variables = await eventually(async () => {
    const [rows] = await superuser.query(documentedQuery('audit.md', 'mysql-variables'));
    assert.ok(Array.isArray(rows) && rows.length === 1, shell.stderr());
    return rows;
  });
  const expected = (id: string | null) => [{ PROCESSLIST_USER: 'app_ro', audit_id: id }];
  assert.deepEqual(withoutNumbers(variables), expected(first.headers.get('rtv-audit-id')));

  const second: { audit_id: string; connection: { host: string; port: number; connection_attributes: object } } =
    JSON.parse(await (await ask('json')).text());
  const { host, port, connection_attributes: connectAttributes } = second.connection;
  const driver = await createConnection({
    ...{ host, port, user: 'app_ro', password: token, database: 'billing' },
    ssl: { ca: ca.certPem, rejectUnauthorized: true },
    connectAttributes: { ...connectAttributes },
  });
  t.after(() => driver.end());
  const [attributes] = await superuser.query(documentedQuery('audit.md', 'mysql-attributes'));
  assert.deepEqual(withoutNumbers(attributes), expected(second.audit_id));
});

function withoutNumbers(rows: unknown): unknown {
  assert.ok(Array.isArray(rows));
  return rows.map(({ PROCESSLIST_USER, audit_id }) => ({ PROCESSLIST_USER, audit_id }));
}
