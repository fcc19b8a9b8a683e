import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOW } from '../support/test-issuer.ts';
import { DAY_MS, driven, FIRST, HANGING, SECOND, settled, slowly } from './driven-key-set.ts';

const UNAVAILABLE = { name: 'Fault', code: 'issuer_keys_unavailable' };
const MINUTE_MS = 60_000;

test('keys are loaded once and found by kid and algorithm', async (t) => {
  const { keySet, state, find } = driven(t, SECOND);
  assert.equal((await find('second'))?.kid, 'second');
  assert.equal((await find('ec', 'ES256'))?.kid, 'ec');
  assert.equal((await find(undefined, 'ES256'))?.kid, 'ec');
  assert.deepEqual(
    [state.loads.length, keySet.status()],
    [1, { ready: true, failure: null, loadedAt: NOW, hash: SECOND.hash }],
  );
});

test('a key is found only for an algorithm that it fits', async (t) => {
  const { find } = driven(t, SECOND);
  await find('ec', 'ES256');
  for (const algorithm of ['RS256', 'ES384', 'EdDSA']) assert.equal(await find('ec', algorithm), undefined);
});

test('while the issuer was never reached, nothing is verified: our inability; it is asked again by itself', async (t) => {
  const { keySet, state, pass, find } = driven(t, new Error('down'));
  await assert.rejects(find('first'), UNAVAILABLE);
  assert.deepEqual(keySet.status(), { ready: false, failure: 'down', loadedAt: null, hash: null });
  state.answer = FIRST;
  await pass(1_000);
  assert.deepEqual(keySet.status(), { ready: true, failure: null, loadedAt: NOW + 1_000, hash: FIRST.hash });
  assert.equal((await find('first'))?.kid, 'first');
});

test('retries come after about 1, 2, 4, 8, 16 and then 30 s, each up to half as early, and Retry-After says when', async (t) => {
  for (const [random, factor] of [
    [0, 0.5],
    [0.5, 0.75],
    [0.999_999, 1],
  ] as const) {
    await t.test(`jitter ${random}`, async (st) => {
      const { state, pass, find } = driven(st, new Error('down'));
      state.random = random;
      await settled();
      await pass(100_000, 250);
      const gaps = state.loads.slice(1).map(({ at }, index) => (at - (state.loads[index]?.at ?? 0)) / 1000);
      const expected = [1, 2, 4, 8, 16, 30, 30].slice(0, gaps.length).map((seconds) => seconds * factor);
      gaps.forEach((gap, index) => assert.ok(Math.abs(gap - (expected[index] ?? 30 * factor)) <= 0.25, String(gaps)));
      const due = (state.loads.at(-1)?.at ?? 0) + 30_000 * factor - (state.now - NOW);
      const waited = await find('first').then(
        () => Number.NaN,
        (fault: { retryAfterSeconds: number }) => fault.retryAfterSeconds,
      );
      assert.ok(Math.abs(waited - Math.max(1, due / 1000)) <= 1.1, `${waited} for ${due}`);
    });
  }
});

test('while the issuer is down its last keys verify, an unknown kid is our inability, and after keepKeysFor they end', async (t) => {
  const { keySet, state, pass, find } = driven(t, FIRST);
  await find('first');
  state.answer = new Error('down');
  await pass(6 * MINUTE_MS);
  assert.deepEqual(keySet.status(), { ready: true, failure: 'down', loadedAt: NOW, hash: FIRST.hash });
  assert.equal((await find('first'))?.kid, 'first');
  await assert.rejects(find('new'), UNAVAILABLE);
  await pass(DAY_MS - 6 * MINUTE_MS - 1, 30_000);
  assert.equal((await find('first'))?.kid, 'first');
  await pass(1);
  await assert.rejects(find('first'), UNAVAILABLE);
  assert.equal(keySet.status().ready, false);
  state.answer = SECOND;
  await pass(30_000);
  assert.equal((await find('second'))?.kid, 'second');
});

test('after a failure nobody waits for an issuer that hangs: a known kid verifies, an unknown one is 503 at once', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  state.answer = new Error('down');
  await pass(5 * MINUTE_MS);
  state.answer = HANGING;
  await pass(1_000);
  assert.equal((await find('first'))?.kid, 'first');
  await assert.rejects(find('new', 'RS256', 0), UNAVAILABLE);
});

test('a load that takes its time holds no token whose kid is known', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  state.answer = HANGING;
  await pass(6 * MINUTE_MS);
  assert.equal(state.loads.length, 2);
  assert.equal((await find('first'))?.kid, 'first');
});

for (const random of [0, 0.5, 0.999_999]) {
  test(`a key withdrawn right after a load is refused within ten minutes, with loads of 5 s and a failed try (jitter ${random})`, async (t) => {
    const { keySet, state, pass, find } = driven(t, slowly(FIRST, 5_000));
    state.random = random;
    await pass(1_000);
    state.answer = slowly(new Error('slow'), 5_000);
    while (state.events.at(-1) !== 'keys_failed') await pass(1_000);
    state.answer = slowly(SECOND, 5_000);
    while (keySet.status().hash !== SECOND.hash) await pass(1_000);
    assert.ok(state.now - NOW <= 10 * MINUTE_MS, `${state.now - NOW} ms`);
    const asked = find('first');
    await pass(5_000);
    assert.equal(await asked, undefined);
  });
}

test('replicas that began together do not load together: the refresh is 4 to 6 minutes later', async (t) => {
  for (const [random, minutes] of [
    [0, 4],
    [0.5, 5],
    [0.999_999, 6],
  ] as const) {
    await t.test(`jitter ${random}`, async (st) => {
      const { state, pass } = driven(st, FIRST);
      state.random = random;
      await settled();
      await pass(minutes * MINUTE_MS - 1_000);
      assert.equal(state.loads.length, 1);
      await pass(1_000);
      assert.deepEqual(
        state.loads.map(({ reason }) => reason),
        ['refresh', 'refresh'],
      );
    });
  }
});

test('closed, it loads no more and says no more', async (t) => {
  const { keySet, state, pass, find } = driven(t, FIRST);
  await find('first');
  keySet.close();
  await pass(60 * MINUTE_MS, 10_000);
  assert.equal(state.loads.length, 1);
  assert.deepEqual(state.events, ['keys_loaded']);
});
