import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { createRateLimits, type Rate, type RateLimits } from '../../src/http/rate-limits.ts';
import type { Refusal } from '../../src/issuance/refusal.ts';
import { liveBytes } from '../support/heap.ts';
import { post, startService } from '../support/running-service.ts';

type Limit = 'perCaller' | 'perDatabase' | 'perGrant';

const BEGIN = 1_790_000_000_000;
const RATE = { max: 3, windowMs: 60_000 };

/** The limits of a server that counts in memory, asked by requests that it gets. */
async function limitsInMemory(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date'], now: BEGIN });
  const app = Fastify();
  t.after(() => app.close());
  const limits = await createRateLimits(app, {
    store: { type: 'memory' },
    storeEvents: { onFailure: () => assert.fail(), onChange: () => assert.fail() },
    now: Date.now,
  });
  let next: ((ask: RateLimits, request: Parameters<RateLimits['perCaller']>[0]) => Promise<unknown>) | undefined;
  app.route({
    method: 'GET',
    url: '/',
    handler: async (request) => {
      await next?.(limits, request);
      return 'done';
    },
  });
  return {
    /** Asks one limit several times, in one request; gives the answers. */
    async ask(limit: Limit, key: string | ((at: number) => string), times = 1, rate: Rate = RATE) {
      const answers: (Refusal | undefined)[] = [];
      next = async (all, request) => {
        for (let at = 0; at < times; at++) {
          answers.push(await all[limit](request, typeof key === 'string' ? key : key(at), rate));
        }
      };
      assert.equal((await app.inject('/')).statusCode, 200);
      return answers;
    },
  };
}

test('a key is refused above its rate, with what is left of the window, until the window ends', async (t) => {
  const { ask } = await limitsInMemory(t);
  assert.deepEqual(await ask('perCaller', 'a', 3), [undefined, undefined, undefined]);
  t.mock.timers.setTime(BEGIN + 12_300);
  assert.deepEqual(await ask('perCaller', 'a'), [
    { reason: 'rate_limited', detail: 'more than 3 requests of one caller in 60 s', retryAfterSeconds: 48 },
  ]);
  assert.deepEqual(await ask('perCaller', 'b'), [undefined]);
  t.mock.timers.setTime(BEGIN + 59_999);
  assert.equal((await ask('perCaller', 'a'))[0]?.reason, 'rate_limited');
  t.mock.timers.setTime(BEGIN + 60_000);
  assert.deepEqual(await ask('perCaller', 'a', 3), [undefined, undefined, undefined]);
});

test('windows are fixed: at their edge a key may have twice its rate at once, and not a third time', async (t) => {
  const { ask } = await limitsInMemory(t);
  await ask('perCaller', 'a');
  t.mock.timers.setTime(BEGIN + 59_999);
  assert.deepEqual(await ask('perCaller', 'a', 2), [undefined, undefined]);
  t.mock.timers.setTime(BEGIN + 60_000);
  assert.deepEqual(await ask('perCaller', 'a', 3), [undefined, undefined, undefined]);
  assert.equal((await ask('perCaller', 'a'))[0]?.reason, 'rate_limited');
});

test('a caller, a database and a grant of one name have a count each', async (t) => {
  const { ask } = await limitsInMemory(t);
  for (const limit of ['perCaller', 'perDatabase', 'perGrant'] as const) {
    assert.deepEqual(await ask(limit, 'orders', 3), [undefined, undefined, undefined]);
    assert.equal((await ask(limit, 'orders'))[0]?.reason, 'rate_limited');
  }
});

test('what a reload changes holds at once: a higher and a lower rate, and another window with a count of its own', async (t) => {
  const { ask } = await limitsInMemory(t);
  await ask('perDatabase', 'a', 4);
  assert.deepEqual(await ask('perDatabase', 'a', 1, { max: 5, windowMs: 60_000 }), [undefined]);
  assert.equal((await ask('perDatabase', 'a', 1, { max: 2, windowMs: 60_000 }))[0]?.reason, 'rate_limited');
  const perSecond = { max: 1, windowMs: 1000 };
  assert.deepEqual(await ask('perDatabase', 'a', 1, perSecond), [undefined]);
  t.mock.timers.setTime(BEGIN + 999);
  const [refused] = await ask('perDatabase', 'a', 1, perSecond);
  assert.deepEqual(refused?.reason === 'rate_limited' && refused.retryAfterSeconds, 1);
  t.mock.timers.setTime(BEGIN + 1000);
  assert.deepEqual(await ask('perDatabase', 'a', 1, perSecond), [undefined]);
});

test('however many callers there are and however long their names, memory is bounded', async (t) => {
  const { ask } = await limitsInMemory(t);
  const caller = (from: number) => (at: number) => `${'x'.repeat(2000)}${from + at}`;
  await ask('perCaller', caller(0), 100_000);
  const full = liveBytes();
  // The tables of the store are made anew as it goes, megabytes at a time; what leaked would be there at every look.
  let growth = Number.POSITIVE_INFINITY;
  for (let from = 100_000; from < 200_000; from += 10_000) {
    await ask('perCaller', caller(from), 10_000);
    growth = Math.min(growth, from < 150_000 ? growth : liveBytes() - full);
  }
  assert.ok(growth < 4 * 1024 * 1024, `${growth} bytes more`);
  // The ones used last still have theirs.
  assert.deepEqual(await ask('perCaller', caller(199_000), 1000), Array.from({ length: 1000 }));
  await ask('perCaller', caller(199_000), 1000);
  assert.ok((await ask('perCaller', caller(199_000), 1000)).every((one) => one?.reason === 'rate_limited'));
});

const LIMITS: readonly [what: string, config: (text: string) => string, detail: string][] = [
  [
    'perCaller',
    (text) => text.replace('perCaller: 1000/s', 'perCaller: 2/m'),
    'more than 2 requests of one caller in 60 s',
  ],
  [
    'perDatabase',
    (text) => text.replace('perDatabase: 1000/s', 'perDatabase: 2/m'),
    'more than 2 tokens for one database in 60 s',
  ],
  [
    'maxTokensPerMinute',
    (text) => text.replace('  - name: api\n', '  - name: api\n    maxTokensPerMinute: 2\n'),
    'more than 2 tokens of one grant in 60 s',
  ],
];
for (const [what, config, detail] of LIMITS) {
  test(`above ${what} the answer is 429 with Retry-After, on record`, async (t) => {
    const service = await startService(t, { config });
    const ask = () => service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
    for (let n = 0; n < 2; n++) assert.equal((await ask()).status, 201);
    const response = await ask();
    assert.equal(response.status, 429);
    const wait = Number(response.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60);
    const record = service.records().at(-1) ?? assert.fail();
    assert.deepEqual([record.outcome, record.reason, record.detail], ['refused', 'rate_limited', detail]);
    // Others go on, and the same caller elsewhere: as far as they are not what is limited.
    const authorization = `Bearer ${await service.mint({ sub: 'system:serviceaccount:payments:job-1' })}`;
    const other = await service.ask('/v1/tokens', post({ database: 'orders' }, { authorization }));
    const elsewhere = await service.ask('/v1/tokens', post({ database: 'billing' }));
    assert.deepEqual([other.status, elsewhere.status], what === 'perDatabase' ? [429, 201] : [201, 429]);
  });
}
