import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driven, FIRST, HANGING, SECOND, settled, slowly } from './driven-key-set.ts';

const MINUTE_MS = 60_000;
/** Of a token whose `iat` is this second: it can have been issued up to the end of it. */
const JUST_NOW = -1;
const unavailable = (retryAfterSeconds: number) => ({
  ...{ name: 'Fault', code: 'issuer_keys_unavailable', retryAfterSeconds },
});

test('a new kid is picked up with one load, and the key it replaced is refused', async (t) => {
  const { state, find } = driven(t, FIRST);
  await find('first');
  state.answer = SECOND;
  const found = await Promise.all(Array.from({ length: 50 }, () => find('second')));
  assert.ok(found.every((key) => key?.kid === 'second'));
  assert.equal(state.loads.length, 2);
  assert.equal(await find('first'), undefined);
});

test('a thousand unknown kids cause two loads, and no more before 60 s have passed since the first of them', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  const ask = async () => {
    for (let count = 0; count < 1000; count++) assert.equal(await find(`made-up-${count}`), undefined);
  };
  await find('first');
  assert.equal(await find('made-up'), undefined);
  await pass(20_000);
  await ask();
  const extra = () => state.loads.filter(({ reason }) => reason === 'unknown_kid').map(({ at }) => at);
  assert.deepEqual(extra(), [0, 20_000]);
  await pass(39_999);
  await ask();
  assert.deepEqual(extra(), [0, 20_000]);
  await pass(1);
  await ask();
  assert.deepEqual(extra(), [0, 20_000, 60_000]);
  await pass(20_000);
  await ask();
  assert.deepEqual(extra(), [0, 20_000, 60_000, 80_000]);
});

test('wherever a window of 60 s begins, a flood of an hour has at most two loads in it', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  for (let second = 0; second < 3600; second++) {
    // Fresh and old tokens, at uneven times, a load that fails now and then.
    state.answer = second % 600 === 599 ? new Error('down') : FIRST;
    await find(`made-up-${second}`, 'RS256', second % 3 === 0 ? JUST_NOW : MINUTE_MS).catch(() => undefined);
    await pass(1_000, 370);
  }
  const extra = state.loads.filter(({ reason }) => reason === 'unknown_kid').map(({ at }) => at);
  extra.forEach((at, index) => assert.ok(at - (extra[index - 2] ?? Number.NEGATIVE_INFINITY) >= MINUTE_MS));
  // And it is not a standstill: the two of each minute are made use of.
  assert.ok(extra.length > 100, String(extra.length));
});

test('with the loads used up, a token from before the last load is refused, a newer one is our inability until the next', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  await find('made-up-1');
  await pass(10_000);
  await find('made-up-2');
  await pass(10_000);
  state.answer = SECOND;
  // Loaded 10 s ago. At the very time of the load is not later than it.
  assert.equal(await find('second', 'RS256', 10_000), undefined);
  assert.equal(await find('second'), undefined);
  await assert.rejects(find('second', 'RS256', 9_999), unavailable(40));
  await pass(30_500);
  await assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(10));
  assert.equal(state.loads.length, 3);
});

test('the load that a newer token waits for comes by itself, as soon as the window has a place', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  await find('made-up-1');
  await find('made-up-2');
  state.answer = SECOND;
  for (let count = 0; count < 100; count++) await assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(60));
  await pass(59_999);
  assert.equal(state.loads.length, 3);
  await pass(1, 1);
  assert.deepEqual(state.loads.at(-1), { reason: 'unknown_kid', at: MINUTE_MS });
  assert.equal((await find('second'))?.kid, 'second');
  await pass(2 * MINUTE_MS);
  assert.equal(state.loads.length, 4);
});

test('a refresh that comes before it makes it unnecessary', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  await pass(5 * MINUTE_MS - 30_000);
  await find('made-up-1');
  await find('made-up-2');
  state.answer = SECOND;
  await assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(30));
  await pass(2 * MINUTE_MS);
  assert.deepEqual(
    state.loads.map(({ reason }) => reason),
    ['refresh', 'unknown_kid', 'unknown_kid', 'refresh'],
  );
});

test('a load that was under way when the token came proves nothing: the keys are asked for once more', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  // The issuer answers with the old keys, slowly; meanwhile it publishes the new one and signs with it.
  state.answer = slowly(FIRST, 2_000);
  await pass(5 * MINUTE_MS);
  assert.equal(state.loads.length, 2);
  state.answer = SECOND;
  const asked = Array.from({ length: 20 }, () => find('second', 'RS256', JUST_NOW));
  await pass(2_000);
  assert.ok((await Promise.all(asked)).every((key) => key?.kid === 'second'));
  assert.equal(state.loads.length, 3);
});

test('and when it may not be asked once more, that is our inability, not a refusal', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  await pass(5 * MINUTE_MS - 1_000);
  await find('made-up-1');
  await find('made-up-2');
  state.answer = slowly(FIRST, 2_000);
  await pass(1_000);
  assert.equal(state.loads.length, 4);
  state.answer = SECOND;
  const refused = assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(57));
  await pass(2_000);
  await refused;
});

test('a load that began after the token came is proof, whoever began it', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  state.answer = slowly(FIRST, 1_000);
  const first = find('made-up-1', 'RS256', JUST_NOW);
  const second = find('made-up-2', 'RS256', JUST_NOW);
  await pass(1_000);
  assert.equal(await first, undefined);
  await pass(1_000);
  assert.equal(await second, undefined);
  assert.equal(state.loads.length, 3);
});

test('a load for an unknown kid that fails is retried on schedule, and keeps the keys', async (t) => {
  const { keySet, state, pass, find } = driven(t, FIRST);
  await find('first');
  state.answer = new Error('the JWK set has the same kid twice');
  await assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(1));
  assert.equal(keySet.status().failure, 'the JWK set has the same kid twice');
  assert.equal((await find('first'))?.kid, 'first');
  state.answer = SECOND;
  await pass(1_000);
  assert.deepEqual(
    state.loads.map(({ reason }) => reason),
    ['refresh', 'unknown_kid', 'refresh'],
  );
  assert.equal((await find('second'))?.kid, 'second');
});

test('unknown kids never put the refresh off, with its discovery', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  for (let count = 0; count < 60; count++) {
    await find(`made-up-${count}`);
    await pass(10_000);
  }
  const refreshes = state.loads.filter(({ reason }) => reason === 'refresh').map(({ at }) => at);
  assert.deepEqual(refreshes, [0, 5 * MINUTE_MS, 10 * MINUTE_MS]);
});

test('a refresh that is due during a load for an unknown kid begins after it', async (t) => {
  const { state, pass, find } = driven(t, FIRST);
  await find('first');
  await pass(5 * MINUTE_MS - 1_000);
  state.answer = slowly(FIRST, 3_000);
  const asked = find('made-up');
  await pass(3_000);
  assert.equal(await asked, undefined);
  assert.deepEqual(
    state.loads.slice(1).map(({ reason, at }) => [reason, at / 1000]),
    [
      ['unknown_kid', 299],
      ['refresh', 302],
    ],
  );
});

test('a clock that is put back an hour does not block loads for an hour', async (t) => {
  const { state, find } = driven(t, FIRST);
  await find('first');
  await find('made-up-1');
  await find('made-up-2');
  state.now -= 60 * MINUTE_MS;
  state.answer = SECOND;
  assert.equal((await find('second'))?.kid, 'second');
});

test('closed, no load is begun for a token that waits', async (t) => {
  const { keySet, state, pass, find } = driven(t, FIRST);
  await find('first');
  await find('made-up-1');
  await find('made-up-2');
  await assert.rejects(find('second', 'RS256', JUST_NOW), unavailable(60));
  keySet.close();
  await pass(2 * MINUTE_MS);
  assert.equal(state.loads.length, 3);
});

test('the first token that comes while nothing is loaded waits for the load, and verifies', async (t) => {
  const { state, pass, find } = driven(t, slowly(FIRST, 3_000));
  const asked = find('first');
  await settled();
  state.answer = HANGING;
  await pass(3_000);
  assert.equal((await asked)?.kid, 'first');
  assert.equal(state.loads.length, 1);
});
