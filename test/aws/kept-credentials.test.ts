import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeptCredentials } from '../../src/aws/kept-credentials.ts';
import type { SigningCredentials } from '../../src/issuance/auth-token.ts';

const NOW = Date.UTC(2026, 10, 26, 12);

function credentials(seconds: number): SigningCredentials {
  return { accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't', expiresAt: NOW + seconds * 1000 };
}

/** What a caller that needs a minute gets of credentials with so many seconds left, once the clock has been set. */
async function given(seconds: number, wallJump: number, elapsed: number): Promise<number | string> {
  const clock = { wall: NOW, steady: 0 };
  const kept = createKeptCredentials({
    clock: { now: () => clock.wall, monotonic: () => clock.steady },
    renewBelowMs: () => 0,
    retryMs: () => 1e12,
    origin: 'the test',
  });
  const wanted = { minLifeMs: 60_000, load: () => Promise.resolve(credentials(seconds)) };
  await kept.take(wanted).catch(() => undefined);
  clock.wall += (wallJump + elapsed) * 1000;
  clock.steady += elapsed * 1000;
  try {
    const { expiresAt } = await kept.take(wanted);
    return ((expiresAt ?? 0) - clock.wall) / 1000;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}

/** Left when they came, the jump of the wall clock, seconds that really pass; and seconds that are left then. */
const TABLE: readonly [left: number, jump: number, elapsed: number, gets: number | string][] = [
  [3600, 0, 0, 3600],
  [3600, 0, 600, 3000],
  [3600, -3600, 600, 3000],
  [3600, -86_400, 3541, 'credentials_expiring'],
  [3600, 3541, 0, 'credentials_expiring'],
  [3600, 1800, 0, 1800],
  [899, 0, 0, 899],
  [899, -600, 0, 899],
  [899, 600, 0, 299],
  [61, 0, 0, 61],
  [61, 0, 2, 'credentials_expiring'],
  [61, -3600, 2, 'credentials_expiring'],
  [1, 0, 0, 'credentials_expiring'],
  [1, -3600, 0, 'credentials_expiring'],
  [0, 0, 0, 'credentials_expiring'],
  [0, -3600, 0, 'credentials_expiring'],
  [-1, 0, 0, 'credentials_expiring'],
  [-1, -3600, 0, 'credentials_expiring'],
];
for (const [left, jump, elapsed, gets] of TABLE) {
  test(`${left} s left, the clock set by ${jump} s, ${elapsed} s later: ${gets}`, async () => {
    assert.equal(await given(left, jump, elapsed), gets);
  });
}

test('credentials that come when nobody waits any more serve the next request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = Promise.withResolvers<SigningCredentials>();
  let loads = 0;
  const kept = createKeptCredentials({
    clock: { now: () => NOW, monotonic: () => 0 },
    renewBelowMs: () => 0,
    retryMs: () => 1e12,
    origin: 'the test',
  });
  const wanted = {
    minLifeMs: 60_000,
    load: () => {
      loads += 1;
      return late.promise;
    },
  };
  const first = kept.take(wanted);
  t.mock.timers.tick(5_000);
  await assert.rejects(first, { code: 'credentials_unavailable', message: /within 5 s/ });
  late.resolve(credentials(3600));
  await new Promise(setImmediate);
  assert.deepEqual(await kept.take(wanted), credentials(3600));
  assert.equal(loads, 1);
});
