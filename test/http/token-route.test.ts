import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { tokenResponseSchema, problemSchema } from '../../src/http/schemas.ts';
import { post, SECRET_KEY, startService } from '../support/running-service.ts';

test('a token comes with its true life, the connection facts, the CA bundle and the id of its durable record', async (t) => {
  const service = await startService(t);
  const before = Math.floor(Date.now() / 1000) * 1000;
  const jwt = await service.mint({ jti: 'login-1' });
  const headers = { authorization: `Bearer ${jwt}`, 'x-request-id': 'req-7', 'user-agent': 'curl/8' };
  const response = await service.ask(
    '/v1/tokens',
    post({ database: 'orders', user: 'app_rw', client: 'psql' }, headers),
  );
  const body = tokenResponseSchema.parse(await response.json());
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('cache-control'), 'no-store');

  const { token, issued_at, audit_id, ca_bundle, connection } = body;
  const issuedAt = Date.parse(issued_at);
  assert.ok(issuedAt >= before && issuedAt <= Date.now());
  assert.ok(token.startsWith('orders.cluster-abc.us-west-2.rds.amazonaws.com:5432/?Action=connect&DBUser=app_rw&'));
  assert.deepEqual(
    [
      body.expires_in,
      body.limited_by,
      Date.parse(body.expires_at) - issuedAt,
      Date.parse(body.refresh_after) - issuedAt,
    ],
    [900, 'rds', 900_000, 600_000],
  );
  assert.equal(body.token_bytes, Buffer.byteLength(token));
  assert.deepEqual(connection, {
    engine: 'postgres',
    host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    database: 'orders',
    user: 'app_rw',
    region: 'us-west-2',
    sslmode: 'verify-full',
    application_name: `rtv:${audit_id}`,
  });
  assert.deepEqual([ca_bundle.id, ca_bundle.certificates], ['us-west-2', 3]);
  const pem = await (await fetch(new URL(ca_bundle.href, service.url))).text();
  assert.equal(createHash('sha256').update(pem).digest('hex'), ca_bundle.sha256);

  const [stored, ...more] = service.records();
  assert.equal(more.length, 0);
  const record = stored ?? assert.fail('no record');
  assert.deepEqual(
    [
      record.id,
      record.outcome,
      record.grant,
      record.subject,
      record.database,
      record.endpoint,
      record.user,
      record.client,
    ],
    [audit_id, 'issued', 'api', 'system:serviceaccount:payments:api', 'orders', 'writer', 'app_rw', 'psql'],
  );
  assert.equal(record.resource_arn, 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/app_rw');
  assert.equal(record.token_fingerprint, createHash('sha256').update(token).digest('hex'));
  assert.equal(record.jti_hash, createHash('sha256').update('login-1').digest('hex'));
  assert.deepEqual([record.request_id, record.user_agent, record.client_address], ['req-7', 'curl/8', '127.0.0.1']);
  const written = JSON.stringify(record) + service.log();
  for (const secret of [jwt, jwt.split('.')[2] ?? '', token, SECRET_KEY]) assert.ok(!written.includes(secret));
});

test('a form asks like JSON does, and an endpoint with connectHost is signed for its RDS name', async (t) => {
  const service = await startService(t);
  const form = new URLSearchParams({ database: 'orders', user: 'app_ro', endpoint: 'reader' });
  const body = tokenResponseSchema.parse(
    await (await service.ask('/v1/tokens', { method: 'POST', body: form })).json(),
  );
  assert.ok(body.token.startsWith('orders.cluster-ro-abc.us-west-2.rds.amazonaws.com:5432/?'));
  assert.deepEqual([body.connection.host, body.connection.port], ['reader.corp.example', 6432]);
});

test('fields are filled in where one choice is left, and the choices are listed where several are', async (t) => {
  const service = await startService(t);
  const filled = tokenResponseSchema.parse(
    await (await service.ask('/v1/tokens', post({ database: 'billing' }))).json(),
  );
  assert.deepEqual([filled.connection.user, filled.connection.engine], ['app_ro', 'mysql']);
  const job = `Bearer ${await service.mint({ sub: 'system:serviceaccount:payments:job-7' })}`;
  const none = tokenResponseSchema.parse(
    await (await service.ask('/v1/tokens', { method: 'POST', headers: { authorization: job } })).json(),
  );
  assert.deepEqual([none.connection.user, none.connection.database], ['app_ro', 'orders']);

  const ambiguous = await service.ask('/v1/tokens', post({ user: 'app_ro' }));
  const problem = problemSchema.parse(await ambiguous.json());
  assert.deepEqual([ambiguous.status, problem.type], [400, 'urn:rds-token-vendor:problem:choice-ambiguous']);
  assert.deepEqual(problem.choices, [
    { database: 'orders', user: 'app_ro', endpoint: 'writer' },
    { database: 'orders', user: 'app_ro', endpoint: 'reader' },
    { database: 'billing', user: 'app_ro', endpoint: 'writer' },
  ]);
});

test('Accept: text/plain gives the bare token, and the headers what JSON would say', async (t) => {
  const service = await startService(t);
  const response = await service.ask(
    '/v1/tokens',
    post({ database: 'orders', user: 'app_rw' }, { accept: 'text/plain' }),
  );
  const text = await response.text();
  assert.equal(response.status, 201);
  assert.match(text, /^orders\.cluster-abc[^\s]+$/);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  const record = service.records()[0];
  assert.equal(response.headers.get('rtv-audit-id'), record?.id);
  assert.equal(response.headers.get('rtv-expires-at'), new Date(record?.token_expires_at ?? 0).toISOString());
  assert.ok(response.headers.get('rtv-refresh-after'));
});

const RENDERINGS: readonly [database: string, format: string, expected: RegExp][] = [
  ['orders', 'token', /^orders\.cluster-abc/],
  ['orders', 'env', /^export PGHOST='orders\.cluster-abc[^]*export PGPASSWORD='orders/],
  ['orders', 'uri', /^postgresql:\/\/app_ro:orders\./],
  ['orders', 'pgpass', /^orders\.cluster-abc\.us-west-2\.rds\.amazonaws\.com:5432:orders:app_ro:orders/],
  ['orders', 'jdbc', /^url=jdbc\\:postgresql\\:\/\//],
  ['billing', 'my_cnf', /^\[client\]\nhost="billing\.proxy-def/],
  ['billing', 'uri', /^mysql:\/\/app_ro:/],
];
for (const [database, format, expected] of RENDERINGS) {
  test(`format=${format} for ${database} is rendered as text`, async (t) => {
    const service = await startService(t);
    const response = await service.ask('/v1/tokens', post({ database, user: 'app_ro', endpoint: 'writer', format }));
    assert.equal(response.status, 201);
    assert.match(await response.text(), expected);
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });
}
