import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSenderLimits, type Sender, type SenderLimits } from '../../src/http/sender-limits.ts';
import type { Caller } from '../../src/issuance/caller.ts';
import { accept, type Decided, type Refusal, refuse } from '../../src/issuance/refusal.ts';
import { caller } from '../support/catalog.ts';
import { liveBytes } from '../support/heap.ts';

const RATE = { max: 3, windowMs: 60_000 };
const BEGIN = 1_790_000_000_000;
const INVALID: Refusal = { reason: 'token_invalid', detail: 'bad' };

/** The limits at a time that tests move, and how many verifications they let happen. */
function limits() {
  const clock = { now: BEGIN };
  const verified: string[] = [];
  const senders = createSenderLimits(() => clock.now);
  const ask = (from: Sender, decided: Decided<Caller> | Promise<Decided<Caller>>, rate = RATE) =>
    senders.admit(from, rate, async () => {
      verified.push(from.credentials.authorization.join());
      return decided;
    });
  return { clock, verified, senders, ask };
}

function sender(authorization: string, clientAddress: string | null = '192.0.2.1'): Sender {
  return { clientAddress, credentials: { authorization: [authorization], certificateThumbprint: null } };
}

const good = (changes: Partial<Caller> = {}) => accept(caller(changes));
const bad = () => refuse(INVALID);

function outcome(decided: Decided<Caller>): string {
  return decided.ok ? 'verified' : decided.refusal.reason;
}

for (const reason of ['token_missing', 'token_invalid', 'authorization_repeated'] as const) {
  test(`${reason} counts: above the rate nothing of that address is verified`, async () => {
    const { ask, verified } = limits();
    for (let n = 0; n < 10; n++) {
      const expected = n < 3 ? reason : 'rate_limited';
      assert.equal(outcome(await ask(sender(`t${n}`), refuse({ reason, detail: '' }))), expected);
    }
    assert.equal(verified.length, 3);
  });
}

test('verified callers, and faults of ours, do not count', async () => {
  const { ask, verified } = limits();
  for (let n = 0; n < 10; n++) assert.equal(outcome(await ask(sender(`good ${n}`), good())), 'verified');
  for (let n = 0; n < 10; n++) await assert.rejects(ask(sender('x'), Promise.reject(new Error('no keys'))));
  assert.equal(outcome(await ask(sender('new'), bad())), 'token_invalid');
  assert.equal(verified.length, 21);
});

test('Retry-After is what is left of the window, and then the address begins anew', async () => {
  const { ask, clock } = limits();
  for (let n = 0; n < 3; n++) await ask(sender('x'), bad());
  clock.now = BEGIN + 12_300;
  const refused = await ask(sender('x'), bad());
  assert.deepEqual(refused, {
    ok: false,
    refusal: {
      reason: 'rate_limited',
      detail: 'more than 3 requests without a valid JWT from one address in 60 s',
      retryAfterSeconds: 48,
    },
  });
  clock.now = BEGIN + 59_999;
  assert.equal(outcome(await ask(sender('x'), bad())), 'rate_limited');
  clock.now = BEGIN + 60_000;
  assert.equal(outcome(await ask(sender('x'), bad())), 'token_invalid');
});

test('a clock that is set back begins another window instead of a longer one', async () => {
  const { ask, clock } = limits();
  for (let n = 0; n < 3; n++) await ask(sender('x'), bad());
  clock.now = BEGIN - 3_600_000;
  assert.equal(outcome(await ask(sender('x'), bad())), 'token_invalid');
});

test('a rate that a reload changes holds at once', async () => {
  const { ask } = limits();
  for (let n = 0; n < 3; n++) await ask(sender('x'), bad());
  assert.equal(outcome(await ask(sender('x'), bad(), { max: 4, windowMs: 60_000 })), 'token_invalid');
  assert.equal(outcome(await ask(sender('x'), bad(), { max: 2, windowMs: 60_000 })), 'rate_limited');
});

const GROUPS: readonly [what: string, one: string | null, other: string | null, together: boolean][] = [
  ['two IPv4 addresses', '192.0.2.1', '192.0.2.2', false],
  ['two addresses of an IPv6 /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
  ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['an IPv4 address and its mapped form', '192.0.2.1', '::ffff:192.0.2.1', true],
  ['two that have no readable address', null, null, true],
];
for (const [what, one, other, together] of GROUPS) {
  test(`${what} are limited ${together ? 'as one' : 'one by one'}`, async () => {
    const { ask } = limits();
    for (let n = 0; n < 3; n++) await ask(sender('x', one), bad());
    assert.equal(outcome(await ask(sender('x', other), bad())), together ? 'rate_limited' : 'token_invalid');
  });
}

/** Sends three that are no good. */
async function flood(ask: ReturnType<typeof limits>['ask']): Promise<void> {
  for (let n = 0; n < 3; n++) await ask(sender('flood'), bad());
  assert.equal(outcome(await ask(sender('flood'), bad())), 'rate_limited');
}

test('in a flood of its own address, a token that was verified before is verified again; another must wait', async () => {
  const { ask, verified } = limits();
  await ask(sender('worker'), good());
  await flood(ask);
  assert.equal(outcome(await ask(sender('worker'), good())), 'verified');
  assert.equal(outcome(await ask(sender('worker', '198.51.100.7'), good())), 'verified');
  assert.equal(outcome(await ask(sender('newcomer'), good())), 'rate_limited');
  assert.ok(!verified.includes('newcomer'));
});

test('a verified token is known until it ends', async () => {
  const { ask, clock } = limits();
  await ask(sender('worker'), good({ expiresAt: BEGIN + 5000 }));
  await flood(ask);
  clock.now = BEGIN + 4999;
  assert.equal(outcome(await ask(sender('worker'), good({ expiresAt: BEGIN + 5000 }))), 'verified');
  clock.now = BEGIN + 5000;
  assert.equal(outcome(await ask(sender('worker'), bad())), 'rate_limited');
});

test('a known token that is no good any more, as when its key was withdrawn, is known no longer', async () => {
  const { ask } = limits();
  await ask(sender('worker'), good());
  await flood(ask);
  assert.equal(outcome(await ask(sender('worker'), bad())), 'token_invalid');
  assert.equal(outcome(await ask(sender('worker'), good())), 'rate_limited');
});

const UNLIKE: readonly [what: string, credentials: Partial<Sender['credentials']>][] = [
  ['one more space', { authorization: ['worker '] }],
  ['the same header twice', { authorization: ['worker', 'worker'] }],
  ['the same header under another certificate', { certificateThumbprint: 'another' }],
];
for (const [what, changes] of UNLIKE) {
  test(`${what} is not the token that was verified`, async () => {
    const { ask } = limits();
    await ask(sender('worker'), good());
    await flood(ask);
    const from = sender('worker');
    const other = { ...from, credentials: { ...from.credentials, ...changes } };
    assert.equal(outcome(await ask(other, bad())), 'rate_limited');
    assert.equal(outcome(await ask(from, good())), 'verified');
  });
}

/** Verifications that the test ends itself, in the order in which they were begun. */
function heldVerifications(senders: SenderLimits) {
  const begun: PromiseWithResolvers<Decided<Caller>>[] = [];
  const ask = (authorization: string, rate = RATE) =>
    senders.admit(sender(authorization), rate, () => {
      const held = Promise.withResolvers<Decided<Caller>>();
      begun.push(held);
      return held.promise;
    });
  return { begun, ask };
}

/** Lets everything happen that needs no more input. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a thousand at once: as many are verified as would be one after another', async () => {
  const { senders } = limits();
  const { begun, ask } = heldVerifications(senders);
  const asked = Array.from({ length: 203 }, (_, n) => ask(`t${n}`));
  const tooMany = await Promise.all(Array.from({ length: 797 }, (_, n) => ask(`more ${n}`)));
  assert.deepEqual(new Set(tooMany.map(outcome)), new Set(['rate_limited']));
  assert.equal(begun.length, 3);
  for (const held of begun) held.resolve(bad());
  const outcomes = (await Promise.all(asked)).map(outcome);
  assert.equal(outcomes.filter((one) => one === 'token_invalid').length, 3);
  assert.equal(outcomes.filter((one) => one === 'rate_limited').length, 200);
  assert.equal(begun.length, 3);
});

test('good callers that begin together behind one address are all verified, a few at a time', async () => {
  const { senders } = limits();
  const { begun, ask } = heldVerifications(senders);
  const asked = Array.from({ length: 150 }, (_, n) => ask(`t${n}`));
  for (let done = 0; done < 150; done++) {
    await settle();
    assert.ok(begun.length - done <= 3);
    begun[done]?.resolve(good());
  }
  assert.deepEqual(new Set((await Promise.all(asked)).map(outcome)), new Set(['verified']));
});

test('those who wait go on when a verification fails for a fault of ours, and when the rate was lowered meanwhile', async () => {
  const { senders } = limits();
  const { begun, ask } = heldVerifications(senders);
  const asked = ['a', 'b', 'c', 'd'].map((token) => ask(token));
  const lowered = ask('e', { max: 1, windowMs: 60_000 });
  await settle();
  assert.equal(begun.length, 3);
  begun[0]?.reject(new Error('no keys'));
  await assert.rejects(asked[0] ?? assert.fail());
  await settle();
  assert.equal(begun.length, 4);
  for (const held of begun) held.resolve(good());
  await settle();
  begun[4]?.resolve(good());
  assert.equal(outcome(await lowered), 'verified');
});

test('made-up addresses: memory is bounded, nobody begins anew by it, and known tokens go on', async () => {
  const { ask } = limits();
  await ask(sender('worker', '198.51.100.9'), good());
  for (let n = 0; n < 3; n++) await ask(sender('x'), bad());
  const address = (n: number) => `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
  for (let n = 0; n < 100_000; n++) await ask(sender('x', address(n)), bad());
  assert.equal(outcome(await ask(sender('x'), bad())), 'rate_limited');
  // Those for whom no count is left share one: its three were used by the last of them.
  const before = liveBytes();
  for (let n = 100_000; n < 300_000; n++) {
    assert.equal(outcome(await ask(sender('x', address(n)), bad())), n < 100_002 ? 'token_invalid' : 'rate_limited');
  }
  assert.ok(liveBytes() - before < 2 * 1024 * 1024);
  assert.equal(outcome(await ask(sender('x', address(5)), bad())), 'token_invalid');
  assert.equal(outcome(await ask(sender('worker', '198.51.100.9'), good())), 'verified');
});

test('of verified tokens the 20,000 used last are known', async () => {
  const { ask } = limits();
  for (let n = 0; n < 20_000; n++) await ask(sender(`t${n}`), good());
  await ask(sender('t0'), good());
  await ask(sender('one more'), good());
  await flood(ask);
  assert.equal(outcome(await ask(sender('t0'), good())), 'verified');
  assert.equal(outcome(await ask(sender('t1'), good())), 'rate_limited');
});

test('the standing of a sender', async () => {
  const { ask, senders } = limits();
  assert.equal(senders.standing(sender('worker'), RATE), 'unknown');
  await ask(sender('worker'), good());
  assert.equal(senders.standing(sender('worker'), RATE), 'known');
  await flood(ask);
  assert.deepEqual(
    ['worker', 'another'].map((token) => senders.standing(sender(token), RATE)),
    ['known', 'flooding'],
  );
});
