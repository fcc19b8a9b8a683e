import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type AdmittedKeys, admitKeys } from '../../src/jwt/admit-keys.ts';
import { createIssuerKeySet } from '../../src/jwt/issuer-key-set.ts';
import { ec, jwkOf, NOW, rsa } from '../support/test-issuer.ts';

const FIRST = admitKeys(JSON.stringify({ keys: [jwkOf(rsa, { kid: 'first' })] }));
const SECOND = admitKeys(JSON.stringify({ keys: [jwkOf(rsa, { kid: 'second' }), jwkOf(ec, { kid: 'ec' })] }));
const UNAVAILABLE = { name: 'Fault', code: 'issuer_keys_unavailable' };

/** A key set whose source, clock and timers the test drives. */
function driven(t: TestContext, first: AdmittedKeys | Error) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { answer: first, now: NOW, loads: 0, events: [] as string[] };
  const keySet = createIssuerKeySet({
    name: 'cluster',
    load: () => {
      state.loads++;
      return state.answer instanceof Error ? Promise.reject(state.answer) : Promise.resolve(state.answer);
    },
    now: () => state.now,
    onEvent: ({ type }) => state.events.push(type),
  });
  t.after(() => keySet.close());
  const pass = async (milliseconds: number): Promise<void> => {
    state.now += milliseconds;
    t.mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { keySet, state, pass };
}

test('keys are loaded once and found by kid and algorithm', async (t) => {
  const { keySet, state } = driven(t, SECOND);
  assert.equal((await keySet.find('second', 'RS256'))?.kid, 'second');
  assert.equal((await keySet.find('ec', 'ES256'))?.kid, 'ec');
  assert.equal((await keySet.find(undefined, 'ES256'))?.kid, 'ec');
  assert.deepEqual([state.loads, keySet.status()], [1, { ready: true, failure: null }]);
});

test('while the issuer was never reached, nothing is verified: our inability; it is asked again by itself', async (t) => {
  const { keySet, state, pass } = driven(t, new Error('down'));
  await assert.rejects(keySet.find('first', 'RS256'), UNAVAILABLE);
  assert.deepEqual(keySet.status(), { ready: false, failure: 'down' });
  state.answer = FIRST;
  await pass(30_000);
  assert.deepEqual(keySet.status(), { ready: true, failure: null });
  assert.equal((await keySet.find('first', 'RS256'))?.kid, 'first');
});

test('a new kid is picked up with one load, and the key it replaced is refused', async (t) => {
  const { keySet, state } = driven(t, FIRST);
  await keySet.find('first', 'RS256');
  state.answer = SECOND;
  const found = await Promise.all(Array.from({ length: 50 }, () => keySet.find('second', 'RS256')));
  assert.ok(found.every((key) => key?.kid === 'second'));
  assert.equal(state.loads, 2);
  assert.equal(await keySet.find('first', 'RS256'), undefined);
});

test('a thousand unknown kids cause three loads, and one more each half minute', async (t) => {
  const { keySet, state, pass } = driven(t, FIRST);
  await keySet.find('first', 'RS256');
  for (let count = 0; count < 1000; count++) assert.equal(await keySet.find(`made-up-${count}`, 'RS256'), undefined);
  assert.equal(state.loads, 1 + 3);
  await pass(30_000);
  for (let count = 0; count < 1000; count++) await keySet.find(`made-up-${count}`, 'RS256');
  assert.equal(state.loads, 1 + 3 + 1);
});

test('while the issuer is down its last keys verify, an unknown kid is our inability, and after 24 hours they end', async (t) => {
  const { keySet, state, pass } = driven(t, FIRST);
  await keySet.find('first', 'RS256');
  state.answer = new Error('down');
  await pass(600_000);
  assert.deepEqual(keySet.status(), { ready: true, failure: 'down' });
  assert.equal((await keySet.find('first', 'RS256'))?.kid, 'first');
  await assert.rejects(keySet.find('new', 'RS256'), UNAVAILABLE);
  await pass(23 * 3_600_000);
  assert.equal((await keySet.find('first', 'RS256'))?.kid, 'first');
  await pass(3_600_000);
  await assert.rejects(keySet.find('first', 'RS256'), UNAVAILABLE);
  assert.equal(keySet.status().ready, false);
});

test('a withdrawn key is refused after the next refresh, within ten minutes', async (t) => {
  const { keySet, state, pass } = driven(t, FIRST);
  assert.ok(await keySet.find('first', 'RS256'));
  state.answer = SECOND;
  await pass(600_000);
  assert.equal(await keySet.find('first', 'RS256'), undefined);
});

test('closed, it loads no more', async (t) => {
  const { keySet, state, pass } = driven(t, FIRST);
  await keySet.find('first', 'RS256');
  keySet.close();
  await pass(3_600_000);
  assert.equal(state.loads, 1);
});
