import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { post, SECRET_KEY, startService } from '../support/running-service.ts';

/* What a caller gets of credentials that end soon, and of a clock that is set. */

/** The service with credentials that ended or end so many seconds from now, and steers its clock that nobody sets. */
async function serviceWith(t: TestContext, seconds: number) {
  const steady = { passed: 0 };
  const expiresAt = Math.floor(Date.now() / 1000) * 1000 + seconds * 1000;
  const keys = { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET_KEY, sessionToken: 'session' };
  const service = await startService(t, {
    overrides: {
      loadCredentials: () => Promise.resolve({ ...keys, expiresAt }),
      monotonic: () => performance.now() + steady.passed * 1000,
    },
  });
  async function ask() {
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
    const body: Record<string, unknown> = JSON.parse(await response.text());
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body,
      record: service.records().at(-1),
    };
  }
  return { ask, steady, expiresAt };
}

for (const [seconds, limitedBy] of [
  [3600, 'rds'],
  [899, 'credentials'],
  [65, 'credentials'],
] as const) {
  test(`credentials with ${seconds} s left: a token whose end is exact, limited by ${limitedBy}`, async (t) => {
    const { ask, expiresAt } = await serviceWith(t, seconds);
    const { status, body } = await ask();
    assert.deepEqual([status, body['limited_by']], [201, limitedBy]);
    const signedAt = /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(String(body['token'])) ?? [];
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = signedAt.slice(1).map(Number);
    const ofRds = Date.UTC(year, month - 1, day, hour, minute, second) + 900_000;
    assert.equal(Date.parse(String(body['expires_at'])), limitedBy === 'rds' ? ofRds : expiresAt);
  });
}

for (const seconds of [59, 1, 0, -1]) {
  test(`credentials with ${seconds} s left: 503 with Retry-After and no token, and the record says why`, async (t) => {
    const { ask } = await serviceWith(t, seconds);
    const { status, retryAfter, body, record } = await ask();
    assert.equal(status, 503);
    assert.ok(Number(retryAfter) > 0);
    assert.ok(!('token' in body));
    assert.deepEqual([record?.outcome, record?.reason], ['failed', 'credentials_expiring']);
  });
}

test('a wall clock that stood still while an hour passed does not revive credentials', async (t) => {
  const { ask, steady } = await serviceWith(t, 3600);
  assert.equal((await ask()).status, 201);
  steady.passed = 3600;
  assert.equal((await ask()).status, 503);
});

test('of a clock that was put back by 40 minutes a token ends with the real life of its credentials', async (t) => {
  const { ask, steady } = await serviceWith(t, 3600);
  assert.equal((await ask()).status, 201);
  // 50 minutes passed, and by the wall clock none did.
  steady.passed = 3000;
  const { status, body } = await ask();
  assert.deepEqual([status, body['limited_by']], [201, 'credentials']);
  const left = (Date.parse(String(body['expires_at'])) - Date.now()) / 1000;
  assert.ok(left > 590 && left <= 600, `${left}`);
});
