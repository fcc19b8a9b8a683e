import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCa } from '../../demo/certificate-authority.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../support/redis-server.ts';
import { post, type RunningService, startService } from '../support/running-service.ts';
import { testDirectory } from '../support/audit-setup.ts';

/* Services that let a real Redis count, and that Redis failing in the ways it does. */

const JOB = 'system:serviceaccount:payments:job-1';
const PASSWORD = 'not-for-the-log-3f9a';

async function redisFor(t: TestContext, options: RedisOptions = {}): Promise<RedisServer> {
  const redis = await startRedis(options);
  t.after(() => redis.remove());
  return redis;
}

/** One replica, whose limits are counted there. */
function replica(
  t: TestContext,
  store: string,
  rates = 'perCaller: 5/m, perDatabase: 1000/s',
): Promise<RunningService> {
  return startService(t, {
    config: (text) =>
      text
        .replace('perCaller: 1000/s, perDatabase: 1000/s', `${rates}, store: { type: redis, ${store} }`)
        .replace('  - name: jobs\n', '  - name: jobs\n    maxTokensPerMinute: 3\n'),
  });
}

const plain = ({ port }: RedisServer, more = '') => `host: 127.0.0.1, port: ${port}, tls: false${more}`;

async function metric({ adminUrl }: RunningService, series: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', adminUrl))).text();
  const line = text.split('\n').find((found) => found.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

const isCounting = (service: RunningService, is: boolean) =>
  eventually(async () => assert.equal(await metric(service, 'rtv_rate_limit_store_available'), is ? 1 : 0));

/** The statuses of so many requests, one after another, each of the replicas in turn. */
async function statuses(services: readonly RunningService[], times: number, sub?: string): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < times; n++) {
    const service = services[n % services.length] ?? assert.fail();
    const init = sub === undefined ? {} : { headers: { authorization: `Bearer ${await service.mint({ sub })}` } };
    found.push((await service.ask('/v1/whoami', init)).status);
  }
  return found;
}

test('replicas count a caller together, and others on their own', async (t) => {
  const redis = await redisFor(t);
  const replicas = [await replica(t, plain(redis)), await replica(t, plain(redis))];
  const [first = assert.fail(), second = assert.fail()] = replicas;
  assert.deepEqual(await statuses(replicas, 7), [200, 200, 200, 200, 200, 429, 429]);
  const refused = await second.ask('/v1/whoami');
  const seconds = Number(refused.headers.get('retry-after'));
  assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  assert.match(await refused.text(), /problem:rate-limited/);
  assert.deepEqual(await statuses([second], 1, JOB), [200]);
  assert.equal(await metric(first, 'rtv_rate_limit_store_failures_total{cause="not_connected"}'), 0);
  const keys = JSON.stringify(await redis.command('KEYS', '*'));
  assert.match(keys, /rds-token-vendor:rate:caller:60000:/);
  assert.ok(!keys.includes('payments'), keys);
});

test('replicas count the tokens of a database, and of a grant, together', async (t) => {
  const redis = await redisFor(t);
  const rates = 'perCaller: 1000/s, perDatabase: 4/m';
  const replicas = [await replica(t, plain(redis), rates), await replica(t, plain(redis), rates)];
  const issue = async (sub: string | undefined, user: string) => {
    const found: number[] = [];
    for (let n = 0; n < 5; n++) {
      const service = replicas[n % 2] ?? assert.fail();
      const headers = { authorization: `Bearer ${await service.mint(sub === undefined ? {} : { sub })}` };
      found.push((await service.ask('/v1/tokens', post({ database: 'orders', user }, headers))).status);
    }
    return found;
  };
  assert.deepEqual(await issue(JOB, 'app_ro'), [201, 201, 201, 429, 429]);
  assert.deepEqual(await issue(undefined, 'app_rw'), [201, 429, 429, 429, 429]);
});

test('without the server, count-here goes on with a count of its own, says so, and counts together again later', async (t) => {
  const redis = await redisFor(t);
  const service = await replica(t, plain(redis));
  assert.deepEqual(await statuses([service], 3), [200, 200, 200]);
  await redis.kill();
  await isCounting(service, false);
  assert.deepEqual(await statuses([service], 6), [200, 200, 200, 200, 200, 429]);
  assert.equal(await metric(service, 'rtv_rate_limit_store_failures_total{cause="not_connected"}'), 6);
  assert.match(service.log(), /"problem":"[^"]+","msg":"the rate limit store cannot be asked"/);
  await redis.start();
  await isCounting(service, true);
  assert.deepEqual(await statuses([service, await replica(t, plain(redis))], 6), [200, 200, 200, 200, 200, 429]);
  assert.match(service.log(), /"msg":"the rate limit store counts"/);
});

test('without the server, refuse answers 503 with Retry-After and a record, until it is back', async (t) => {
  const redis = await redisFor(t);
  const service = await replica(t, plain(redis, ', whenUnavailable: refuse'));
  assert.deepEqual(await statuses([service], 1), [200]);
  await redis.kill();
  await isCounting(service, false);
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  assert.equal(response.status, 503);
  assert.match(response.headers.get('retry-after') ?? '', /^[1-9]/);
  assert.ok(!(await response.text()).includes('127.0.0.1'));
  assert.deepEqual(
    service.records().map(({ outcome, reason }) => [outcome, reason]),
    [['failed', 'limits_unavailable']],
  );
  await redis.start();
  await isCounting(service, true);
  assert.deepEqual(await statuses([service], 1), [200]);
});

test('a service starts while the server is away, and finds it later', async (t) => {
  const redis = await redisFor(t);
  await redis.kill();
  const service = await replica(t, plain(redis));
  assert.deepEqual(await statuses([service], 1), [200]);
  await redis.start();
  await isCounting(service, true);
});

test('a server that hangs holds no decision up', async (t) => {
  const redis = await redisFor(t);
  const service = await replica(t, plain(redis));
  assert.deepEqual(await statuses([service], 1), [200]);
  redis.pause();
  t.after(() => redis.resume());
  const begun = performance.now();
  assert.deepEqual(await statuses([service], 5), [200, 200, 200, 200, 200]);
  // The first waits for a fifth of a second, and those after it for nothing.
  assert.ok(performance.now() - begun < 5 * 200, `${performance.now() - begun} ms`);
  assert.equal(await metric(service, 'rtv_rate_limit_store_failures_total{cause="no_answer"}'), 1);
  redis.resume();
  await isCounting(service, true);
});

const UNABLE: readonly [
  what: string,
  make: (redis: RedisServer) => Promise<unknown>,
  mend: (redis: RedisServer) => Promise<unknown>,
][] = [
  [
    'is full',
    async ({ command }) => {
      await command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      await command('CONFIG', 'SET', 'maxmemory', '1');
    },
    ({ command }) => command('CONFIG', 'SET', 'maxmemory', '0'),
  ],
  [
    'has become a replica',
    ({ command }) => command('REPLICAOF', '127.0.0.1', '1'),
    ({ command }) => command('REPLICAOF', 'NO', 'ONE'),
  ],
  [
    'allows no scripts any more',
    ({ command }) => command('ACL', 'SETUSER', 'default', '-@scripting'),
    ({ command }) => command('ACL', 'SETUSER', 'default', '+@all'),
  ],
];
for (const [what, make, mend] of UNABLE) {
  test(`a server that answers and ${what} counts nothing: the service counts, and asks again until it does`, async (t) => {
    const redis = await redisFor(t);
    const service = await replica(t, plain(redis));
    assert.deepEqual(await statuses([service], 1), [200]);
    await make(redis);
    assert.deepEqual(await statuses([service], 6), [200, 200, 200, 200, 200, 429]);
    await isCounting(service, false);
    assert.equal(await metric(service, 'rtv_rate_limit_store_failures_total{cause="error"}'), 1);
    await mend(redis);
    await isCounting(service, true);
  });
}

/** The line of docs/limits.md. */
const ACL = ['~rds-token-vendor:rate:*', '+eval', '+evalsha', '+incr', '+pexpire', '+pttl', '+client|setname'];

test('a user of the ACL with these rights is enough, and a password that is corrected is read again', async (t) => {
  const redis = await redisFor(t);
  await redis.command('ACL', 'SETUSER', 'rtv', 'on', `>${PASSWORD}`, 'resetkeys', ...ACL);
  const secret = join(testDirectory(t), 'password');
  writeFileSync(secret, 'wrong-71c2\n');
  const store = plain(redis, `, username: rtv, passwordFile: ${secret}`);
  const service = await replica(t, store);
  assert.deepEqual(await statuses([service], 1), [200]);
  await isCounting(service, false);
  writeFileSync(secret, `${PASSWORD}\n`);
  await isCounting(service, true);
  assert.deepEqual(await statuses([service, await replica(t, store)], 6), [200, 200, 200, 200, 200, 429]);
  assert.equal(await metric(service, 'rtv_rate_limit_store_failures_total{cause="error"}'), 0);
  assert.match(service.log(), /WRONGPASS/);
  assert.ok(!service.log().includes(PASSWORD) && !service.log().includes('wrong-71c2'));
});

test('TLS is verified: by the CA that is named, and no other', async (t) => {
  const ca = await makeCa('limits');
  const redis = await redisFor(t, { tls: await ca.issue({ dnsNames: ['localhost'], ips: ['127.0.0.1'] }) });
  const file = join(testDirectory(t), 'ca.pem');
  writeFileSync(file, (await makeCa('limits')).certPem);
  const store = `host: localhost, port: ${redis.port}, caFile: ${file}`;
  const service = await replica(t, store);
  assert.deepEqual(await statuses([service], 1), [200]);
  await isCounting(service, false);
  assert.match(service.log(), /certificate/);
  rmSync(file);
  writeFileSync(file, ca.certPem);
  await isCounting(service, true);
});

test('through a Unix socket', async (t) => {
  const redis = await redisFor(t);
  const service = await replica(t, `host: ${redis.socket}`);
  await isCounting(service, true);
  assert.deepEqual(await statuses([service], 6), [200, 200, 200, 200, 200, 429]);
});
