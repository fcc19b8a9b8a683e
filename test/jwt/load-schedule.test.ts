import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLoadSchedule } from '../../src/jwt/load-schedule.ts';
import { createLoadWindow } from '../../src/jwt/load-window.ts';
import { NOW } from '../support/test-issuer.ts';

/** A schedule whose clock and jitter the test drives; `due` are the times at which a load was due. */
function schedule(t: TestContext, random = 0.5) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { now: NOW, random };
  const due: number[] = [];
  const made = createLoadSchedule({
    now: () => state.now,
    random: () => state.random,
    onDue: () => due.push(state.now - NOW),
  });
  const pass = (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 50) {
      state.now += 50;
      t.mock.timers.tick(50);
    }
  };
  return { ...made, state, due, pass };
}

const AFTER_SUCCESS: readonly [random: number, minutes: number][] = [
  [0, 4],
  [0.5, 5],
  [1, 6],
];
for (const [random, minutes] of AFTER_SUCCESS) {
  test(`after a success the next load is due in ${minutes} minutes where the jitter is ${random}`, (t) => {
    const { afterSuccess, dueAt, due, pass } = schedule(t, random);
    assert.equal(dueAt(), NOW);
    afterSuccess();
    assert.equal(Math.round(dueAt()), NOW + minutes * 60_000);
    pass(minutes * 60_000 - 50);
    assert.deepEqual(due, []);
    // The jitter is a fraction, and a timer is never early.
    pass(100);
    assert.equal(due.length, 1);
  });
}

test('failures wait longer and longer, up to 30 s, half of that at the least, and a success begins anew', (t) => {
  const waits: number[] = [];
  const { afterFailure, afterSuccess, dueAt, state, pass } = schedule(t, 1);
  for (let failure = 0; failure < 8; failure++) {
    afterFailure();
    waits.push(dueAt() - state.now);
    pass(dueAt() - state.now);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  state.random = 0;
  afterFailure();
  assert.equal(dueAt() - state.now, 15_000);
  pass(15_000);
  afterSuccess();
  pass(240_000);
  afterFailure();
  assert.equal(dueAt() - state.now, 500);
});

test('a failure never puts off a load that is due sooner, and brings nearer one that is due later', (t) => {
  const { afterSuccess, afterFailure, dueAt, due, pass } = schedule(t, 1);
  afterSuccess();
  afterFailure();
  assert.equal(dueAt(), NOW + 1000);
  afterFailure();
  assert.equal(dueAt(), NOW + 1000);
  pass(400_000);
  assert.deepEqual(due, [1000]);
});

test('once closed, nothing is due any more', (t) => {
  const { afterSuccess, afterFailure, close, due, pass } = schedule(t);
  afterSuccess();
  close();
  afterFailure();
  pass(400_000);
  assert.deepEqual(due, []);
});

test('a window has two places in any 60 s, and tells when there will be one', () => {
  const window = createLoadWindow();
  assert.equal(window.nextAt(NOW), NOW);
  assert.ok(window.take(NOW));
  assert.equal(window.nextAt(NOW + 1), NOW + 1);
  assert.ok(window.take(NOW + 10_000));
  assert.ok(!window.take(NOW + 59_999));
  assert.equal(window.nextAt(NOW + 59_999), NOW + 60_000);
  assert.ok(window.take(NOW + 60_000));
  assert.ok(!window.take(NOW + 69_999));
  assert.equal(window.nextAt(NOW + 69_999), NOW + 70_000);
});

test('a clock that was put back frees the places that are in its future', () => {
  const window = createLoadWindow();
  assert.ok(window.take(NOW) && window.take(NOW));
  assert.ok(!window.take(NOW));
  assert.ok(window.take(NOW - 1));
});
