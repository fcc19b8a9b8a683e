import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { problemSchema } from '../../src/http/schemas.ts';
import { openConnection } from '../support/raw-connection.ts';
import { post, type RunningService, startService } from '../support/running-service.ts';

const LIMIT = 'limits: { perAddress: 5/m, ';
const config = (text: string) => text.replace('limits: { ', LIMIT);
const behindProxy = (text: string) => config(text).replace('server: { ', 'server: { trustedProxies: ["127.0.0.0/8"], ');

/** A JWT that is right but for its signature. */
async function forged({ mint }: RunningService): Promise<string> {
  const [header = '', claims = '', signature = ''] = (await mint()).split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[9] = (bytes[9] ?? 0) ^ 1;
  return [header, claims, bytes.toString('base64url')].join('.');
}

async function askWith(service: RunningService, jwt: string, from?: string): Promise<Response> {
  const headers = { authorization: `Bearer ${jwt}`, ...(from !== undefined && { 'x-forwarded-for': from }) };
  return service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }, headers));
}

/** Sends forged JWTs, many at once; gives how many answers had which status. */
async function flood(service: RunningService, times: number, from?: string): Promise<Record<number, number>> {
  const jwts = await Promise.all(Array.from({ length: times }, () => forged(service)));
  const statuses = await Promise.all(jwts.map(async (jwt) => (await askWith(service, jwt, from)).status));
  return Object.fromEntries([...new Set(statuses)].map((one) => [one, statuses.filter((each) => each === one).length]));
}

/** Counts the signatures that are verified in this process. */
function countVerifications(t: TestContext): () => number {
  const verify = t.mock.method(crypto.subtle, 'verify');
  return () => verify.mock.callCount();
}

test('of a flood of forged JWTs, no more signatures are verified than the address may have wrong', async (t) => {
  const service = await startService(t, { config });
  const verifications = countVerifications(t);
  assert.deepEqual(await flood(service, 150), { 401: 5, 429: 145 });
  assert.equal(verifications(), 5);
  assert.deepEqual(await flood(service, 50), { 429: 50 });
  assert.equal(verifications(), 5);
});

test('whoever worked before goes on behind the flooding address; a new caller there waits for the window', async (t) => {
  const service = await startService(t, { config });
  const worker = await service.mint();
  assert.equal((await askWith(service, worker)).status, 201);
  await flood(service, 10);
  for (let n = 0; n < 3; n++) assert.equal((await askWith(service, worker)).status, 201);
  const refused = await askWith(service, await service.mint());
  assert.equal(refused.status, 429);
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait >= 50 && wait <= 60, String(wait));
  assert.equal(problemSchema.parse(await refused.json()).type, 'urn:rds-token-vendor:problem:rate-limited');
});

test('other addresses are untouched, and behind a trusted proxy the address is that of its client', async (t) => {
  const service = await startService(t, { config: behindProxy });
  assert.deepEqual(await flood(service, 10, '203.0.113.7'), { 401: 5, 429: 5 });
  assert.equal((await askWith(service, await service.mint(), '203.0.113.8')).status, 201);
  assert.equal((await askWith(service, await service.mint(), '203.0.113.7')).status, 429);
  // Any address of an IPv6 /64 is the same sender.
  assert.deepEqual(await flood(service, 5, '2001:db8:1:2::1'), { 401: 5 });
  assert.equal((await askWith(service, await service.mint(), '2001:db8:1:2::ffff')).status, 429);
});

test('an address that no trusted proxy vouches for cannot be made up', async (t) => {
  const service = await startService(t, { config });
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => askWith(service, await forged(service), `203.0.113.${n}`)),
  );
  assert.equal(answers.filter(({ status }) => status === 401).length, 5);
});

const USELESS: readonly [what: string, path: string, headers: string[], status: number][] = [
  ['no token', '/v1/whoami', [], 401],
  ['no JWT', '/v1/databases', ['authorization: Bearer abc'], 401],
  ['a token of nobody, for an auditor', '/v1/audit/events', ['authorization: Bearer abc'], 401],
  ['a repeated header', '/v1/whoami', ['authorization: Bearer a', 'Authorization: Bearer b'], 400],
];
for (const [what, path, headers, status] of USELESS) {
  test(`requests with ${what} count`, async (t) => {
    const service = await startService(t, { config });
    const connection = await openConnection(service.url);
    for (let n = 1; n <= 6; n++) {
      connection.request('GET', path, headers);
      assert.equal((await connection.answered(n)).at(-1), n <= 5 ? status : 429);
    }
    connection.socket.destroy();
    assert.equal((await service.ask('/v1/whoami')).status, 429);
  });
}

test('a flood leaves few records, which count it together', async (t) => {
  const service = await startService(t, { config });
  await flood(service, 150);
  const records = service.records().filter(({ reason }) => reason === 'rate_limited');
  assert.ok(records.length <= 30, String(records.length));
  assert.equal(
    records.reduce((sum, { repeated }) => sum + repeated, 0),
    145,
  );
  assert.equal(records[0]?.detail, 'more than 5 requests without a valid JWT from one address in 60 s');
});
