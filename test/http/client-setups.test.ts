import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemSchema } from '../../src/http/schemas.ts';
import { post, startService } from '../support/running-service.ts';

test('a setup is given with what the caller may be, and holds no token', async (t) => {
  const service = await startService(t);
  const path =
    '/v1/databases/orders/clients/pgadmin?user=app_ro&endpoint=reader&command=/opt/rds-token&ca_file=/ca.pem';
  const response = await service.ask(path);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const text = await response.text();
  assert.ok(!text.includes('X-Amz'));
  const server = JSON.parse(text).Servers['1'];
  assert.deepEqual(
    [server.Host, server.Port, server.PasswordExecCommand, server.ConnectionParameters.sslrootcert],
    ['reader.corp.example', 6432, "/opt/rds-token 'orders' 'app_ro' 'reader'", '/ca.pem'],
  );
  // Like other looks at one's own rights it is recorded where it is refused.
  assert.equal(service.records().length, 0);
  await service.ask('/v1/databases/orders/clients/psql?user=postgres');
  const [record] = service.records();
  assert.deepEqual([record?.action, record?.outcome, record?.reason], ['database.get', 'refused', 'not_granted']);
});

test('in server mode the bundle is in the user’s storage, and mysql gets its own line', async (t) => {
  const service = await startService(t);
  const pgadmin = await service.ask('/v1/databases/orders/clients/pgadmin?user=app_rw&mode=server');
  assert.match(await pgadmin.text(), /"sslrootcert": "\/us-west-2\.pem"/);
  const mysql = await service.ask('/v1/databases/billing/clients/mysql');
  assert.match(await mysql.text(), /^MYSQL_PWD="\$\(rds-token 'billing' 'app_ro'\)" mysql --host='billing/);
});

for (const [path, status, what] of [
  ['/v1/databases/orders/clients/excel?user=app_rw', 400, 'client'],
  ['/v1/databases/orders/clients/mysql?user=app_rw', 400, 'client'],
  ['/v1/databases/orders/clients/psql?user=app_rw&color=red', 400, 'color'],
  ['/v1/databases/orders/clients/psql?user=app_rw&user=app_ro', 400, ''],
  ['/v1/databases/orders/clients/psql?user=%zz', 400, ''],
  ['/v1/databases/orders/clients/psql?user=app_rw&mode=kiosk', 400, 'mode'],
  ['/v1/databases/orders/clients/psql?user=app_rw&command=rds-token%3Bid', 400, 'command'],
  ['/v1/databases/orders/clients/psql?user=app_rw&command=%24(id)', 400, 'command'],
  ['/v1/databases/orders/clients/psql?user=app_rw&ca_file=a%0Ab', 400, 'ca_file'],
  ['/v1/databases/orders/clients/dbeaver?user=app_rw&ca_file=a%7Cb', 400, 'ca_file'],
  ['/v1/databases/orders/clients/psql', 400, undefined],
  ['/v1/databases/orders/clients/psql?user=postgres', 403, undefined],
  ['/v1/databases/secret/clients/psql?user=app_rw', 403, undefined],
] as const) {
  test(`${path} is ${status}`, async (t) => {
    const service = await startService(t);
    const response = await service.ask(path);
    assert.equal(response.status, status);
    const problem = problemSchema.parse(await response.json());
    if (what !== undefined) assert.equal(problem.problems?.[0]?.field, what);
  });
}

test('without a valid JWT a setup is 401, whatever is asked', async (t) => {
  const service = await startService(t);
  const response = await service.ask('/v1/databases/orders/clients/excel?x', {
    headers: { authorization: 'Bearer a.b.c' },
  });
  assert.equal(response.status, 401);
});

test('where no token fits the answer is 422 with the reason, the record says refused, and no token is recorded', async (t) => {
  const loadCredentials = () =>
    Promise.resolve({
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      sessionToken: 'x'.repeat(1200),
      expiresAt: Date.now() + 3_600_000,
    });
  const service = await startService(t, { overrides: { loadCredentials } });
  for (const [fields, detail] of [
    [{ client: 'gh-ost' }, /^gh-ost takes 32 characters/],
    [{ client: 'phpMyAdmin/5.1' }, /^the token has 15\d\d bytes; phpMyAdmin before 5\.2\.2 takes less than 1000/],
    [{ format: 'pg_service' }, /^the token has 15\d\d bytes; libpq reads service files in lines/],
  ] as const) {
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw', ...fields }));
    const problem = problemSchema.parse(await response.json());
    assert.deepEqual([response.status, problem.type], [422, 'urn:rds-token-vendor:problem:client-unfit']);
    assert.match(problem.detail, detail);
    const record = service.records().find(({ id }) => id === problem.audit_id);
    assert.deepEqual([record?.outcome, record?.reason, record?.token_fingerprint], ['refused', 'client_unfit', null]);
  }
  // And what fits is given, with the CA bundle's path.
  const fits = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw', format: 'pgpass' }));
  assert.equal(fits.status, 201);
  assert.equal(fits.headers.get('rtv-ca-bundle'), '/v1/ca-bundles/us-west-2.pem');
});

test('a name that a program cannot hold is 422 before anything is signed', async (t) => {
  const service = await startService(t, {
    config: (text) => text.replace('    engine: postgres', '    databaseName: "a]b|c"\n    engine: postgres'),
  });
  const wanted = { database: 'orders', user: 'app_rw' };
  const token = await service.ask('/v1/tokens', post({ ...wanted, format: 'pg_service' }));
  const dbeaver = await service.ask('/v1/databases/orders/clients/dbeaver?user=app_rw');
  for (const [response, detail] of [
    [token, 'the name of a section of a service file has no ].'],
    [dbeaver, 'DBeaver would split a value at its |.'],
  ] as const) {
    const problem = problemSchema.parse(await response.json());
    assert.deepEqual([response.status, problem.detail], [422, detail]);
    const record = service.records().find(({ id }) => id === problem.audit_id);
    assert.deepEqual([record?.reason, record?.access_key_id], ['client_unfit', null]);
  }
  // The section that holds no token is named after the catalog's name, and others take any.
  assert.equal((await service.ask('/v1/databases/orders/clients/pg_service?user=app_rw')).status, 200);
  assert.equal((await service.ask('/v1/tokens', post({ ...wanted, format: 'pgpass' }))).status, 201);
});

test('a caller who may not be that user does not learn what fits its program', async (t) => {
  const service = await startService(t);
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'postgres', client: 'gh-ost' }));
  assert.equal(response.status, 403);
});

test('DBeaver gets a JDBC URL for format=uri, and for another engine’s driver a 400', async (t) => {
  const service = await startService(t, { config: (text) => text.replace('engine: mysql', 'engine: mariadb') });
  const fields = { user: 'app_ro', format: 'uri', client: 'DBeaver' };
  const postgres = await service.ask('/v1/tokens', post({ ...fields, database: 'orders' }));
  assert.match(await postgres.text(), /^jdbc:postgresql:\/\/.*&password=orders.*%3FAction/s);
  const mariadb = await service.ask('/v1/tokens', post({ ...fields, database: 'billing' }));
  const { problems } = problemSchema.parse(await mariadb.json());
  assert.deepEqual([mariadb.status, problems?.[0]?.message], [400, 'uri is not for mariadb in DBeaver']);
});
