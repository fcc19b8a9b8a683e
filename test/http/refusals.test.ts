import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { problemSchema } from '../../src/http/schemas.ts';
import { post, type RunningService, startService } from '../support/running-service.ts';

const BEARER = 'Bearer realm="rds-token-vendor"';

test('an unknown database, an unknown user, a foreign endpoint and a stranger get one identical 403', async (t) => {
  const service = await startService(t);
  const stranger = `Bearer ${await service.mint({ sub: 'nobody' })}`;
  const asked: RequestInit[] = [
    post({ database: 'nope', user: 'app_rw' }),
    post({ database: 'orders', user: 'admin' }),
    post({ database: 'billing', user: 'app_rw' }),
    post({ database: 'orders', user: 'app_rw', endpoint: 'nowhere' }),
    post({ database: '__proto__', user: 'constructor' }),
    post({ database: 'orders', user: 'app_rw' }, { authorization: stranger }),
    post({}, { authorization: stranger }),
  ];
  const answers = new Set<string>();
  for (const init of asked) {
    const response = await service.ask('/v1/tokens', init);
    assert.equal(response.status, 403);
    assert.equal(response.headers.get('www-authenticate'), `${BEARER}, error="insufficient_scope"`);
    const headers = [...response.headers].filter(([name]) => name !== 'date' && name !== 'content-length');
    answers.add(JSON.stringify([headers, withoutId(await response.json())]));
  }
  assert.equal(answers.size, 1);
  assert.deepEqual(
    service.records().map(({ outcome, reason }) => [outcome, reason]),
    asked.map(() => ['refused', 'not_granted']),
  );
  assert.deepEqual(service.records()[1]?.user, 'admin');
});

const MALFORMED: readonly [what: string, init: RequestInit, field: string][] = [
  ['JSON that ends early', { method: 'POST', body: '{"user":', headers: { 'content-type': 'application/json' } }, ''],
  [
    'the same key twice',
    { method: 'POST', body: '{"user":"a","user":"b"}', headers: { 'content-type': 'application/json' } },
    '',
  ],
  ['a list', { method: 'POST', body: '[]', headers: { 'content-type': 'application/json' } }, ''],
  ['a user that is a list', post({ user: ['app_rw', 'admin'] }), 'user'],
  ['an empty user', post({ user: '' }), 'user'],
  ['a user of 256 characters', post({ user: 'u'.repeat(256) }), 'user'],
  ['an unknown field', post({ databse: 'orders' }), 'databse'],
  ['an unknown format', post({ format: 'xml' }), 'format'],
  ['a format of another engine', post({ database: 'orders', user: 'app_rw', format: 'my_cnf' }), 'format'],
  ['a client with a line break', post({ client: 'a\nb' }), 'client'],
  [
    'a form field twice',
    { method: 'POST', body: 'user=a&user=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    '',
  ],
  [
    'a form that is not UTF-8',
    { method: 'POST', body: 'user=%ff', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    '',
  ],
];
for (const [what, init, field] of MALFORMED) {
  test(`${what} is a 400 that names the field, on record`, async (t) => {
    const service = await startService(t);
    const response = await service.ask('/v1/tokens', init);
    const problem = problemSchema.parse(await response.json());
    assert.deepEqual([response.status, problem.type], [400, 'urn:rds-token-vendor:problem:request-malformed']);
    assert.deepEqual(
      problem.problems?.map((found) => found.field),
      [field],
    );
    assert.equal(service.records()[0]?.id, problem.audit_id);
  });
}

test('a query string is a 400: a token request belongs in the body', async (t) => {
  const service = await startService(t);
  assert.equal((await service.ask('/v1/tokens?user=app_rw', { method: 'POST' })).status, 400);
});

test('without a valid token every defect has one answer, and only the record tells them apart', async (t) => {
  const service = await startService(t);
  const good = await service.mint();
  const tokens = [
    await service.mint({ exp: 1 }),
    await service.mint({ aud: 'another' }),
    await service.mint({ iss: 'https://evil.example' }),
    `${good.slice(0, -3)}AAA`,
    'x',
    'a'.repeat(16 * 1024 + 1),
  ];
  const answers = new Set<string>();
  for (const token of tokens) {
    const response = await service.ask('/v1/tokens', post({ user: ['odd'] }, { authorization: `Bearer ${token}` }));
    assert.equal(response.headers.get('www-authenticate'), `${BEARER}, error="invalid_token"`);
    answers.add(JSON.stringify([response.status, withoutId(await response.json())]));
  }
  assert.deepEqual(
    [...answers].map((answer) => JSON.parse(answer)[0]),
    [401],
  );
  const details = service.records().map(({ detail }) => detail);
  assert.equal(new Set(details).size, tokens.length);
  for (const token of tokens)
    assert.ok(!JSON.stringify(service.records()).includes(token.slice(0, 200)) || token === 'x');

  const none = await fetch(new URL('/v1/whoami', service.url));
  assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, BEARER]);
});

test('two Authorization headers are a 400, whatever they hold', async (t) => {
  const service = await startService(t);
  const line = `Authorization: Bearer ${await service.mint()}\r\n`;
  const answer = await raw(service, `POST /v1/tokens HTTP/1.1\r\nHost: x\r\n${line}${line}Content-Length: 0\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 400 [^]*authorization-repeated/);
  assert.equal(service.records()[0]?.reason, 'authorization_repeated');
});

test('a body over 16 KiB is a 413, on record, whoever sends it', async (t) => {
  const service = await startService(t);
  const response = await service.ask('/v1/tokens', post({ user: 'u'.repeat(16 * 1024) }));
  assert.equal(response.status, 413);
  assert.equal(service.records()[0]?.reason, 'body_too_large');
});

for (const type of [
  'text/plain',
  'application/xml',
  'application/json; charset=latin1',
  'multipart/form-data; boundary=x',
  ' ',
  'application/json,x',
]) {
  test(`the content type ${JSON.stringify(type)} is a 415, on record`, async (t) => {
    const service = await startService(t);
    const line = `Authorization: Bearer ${await service.mint()}\r\nContent-Type: ${type}\r\n`;
    const answer = await raw(service, `POST /v1/tokens HTTP/1.1\r\nHost: x\r\n${line}Content-Length: 2\r\n\r\n{}`);
    assert.match(answer, /^HTTP\/1\.1 415 [^]*media-type-unsupported/);
    assert.equal(service.records()[0]?.reason, 'media_type_unsupported');
  });
}

test('headers over 32 KiB are a 431 and rubbish is a 400, both problem documents', async (t) => {
  const service = await startService(t);
  const large = await raw(service, `GET /v1/whoami HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(33 * 1024)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 [^]*application\/problem\+json[^]*headers-too-large/);
  assert.match(await raw(service, 'RUBBISH\r\n\r\n'), /^HTTP\/1\.1 400 [^]*request-unreadable/);
  assert.equal((await fetch(new URL('/v1/%zz', service.url))).status, 400);
});

test('a caller over its rate gets 429 with Retry-After, on record, and others are served', async (t) => {
  const service = await startService(t, { config: (text) => text.replace('perCaller: 1000/s', 'perCaller: 2/m') });
  const statuses = [];
  for (let count = 0; count < 3; count++) statuses.push(await service.ask('/v1/whoami'));
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.match(statuses[2]?.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  assert.equal(service.records()[0]?.reason, 'rate_limited');
  const job = `Bearer ${await service.mint({ sub: 'system:serviceaccount:payments:job-7' })}`;
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization: job } })).status, 200);
});

test('X-Forwarded-For is believed of trusted proxies only, and only where it is an address', async (t) => {
  const addresses = async (change: (text: string) => string, forwarded: string) => {
    const service = await startService(t, { config: change });
    await service.ask('/v1/whoami', { headers: { authorization: 'Bearer x', 'x-forwarded-for': forwarded } });
    return service.records().map(({ client_address }) => client_address);
  };
  const trusting = (text: string) => text.replace('adminPort: 0', 'adminPort: 0, trustedProxies: [127.0.0.1]');
  assert.deepEqual(await addresses((text) => text, '203.0.113.9'), ['127.0.0.1']);
  assert.deepEqual(await addresses(trusting, '198.51.100.1, 203.0.113.9'), ['203.0.113.9']);
  assert.deepEqual(await addresses(trusting, '<script>'), [null]);
});

test('a database over its rate gets 429', async (t) => {
  const service = await startService(t, { config: (text) => text.replace('perDatabase: 1000/s', 'perDatabase: 1/m') });
  const ask = () => service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  assert.deepEqual([(await ask()).status, (await ask()).status], [201, 429]);
});

test('an address that is not there is a 404 and a method that is not there a 405 with Allow', async (t) => {
  const service = await startService(t);
  assert.equal((await service.ask('/v1/nothing')).status, 404);
  const response = await service.ask('/v1/tokens');
  assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
  assert.equal((await service.ask('/v1/whoami', { method: 'DELETE' })).status, 405);
});

function withoutId(body: unknown): unknown {
  const problem = problemSchema.parse(body);
  assert.ok(problem.audit_id);
  return { ...problem, audit_id: '' };
}

/** Sends bytes as they are and gives the whole answer. */
function raw(service: RunningService, request: string): Promise<string> {
  const { hostname, port } = new URL(service.url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname, () => socket.write(request));
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    if (/\r\n\r\n[^]*\}$/.test(answer)) socket.end();
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(answer));
  return promise;
}
