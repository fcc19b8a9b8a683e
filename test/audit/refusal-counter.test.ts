import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createRefusalCounter } from '../../src/audit/refusal-counter.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';

function counting(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const written: AuditRecord[] = [];
  const counter = createRefusalCounter((record) => Promise.resolve((written.push(record), record.id)));
  return { counter, written };
}

/** A refusal of a verified caller. */
const refused = (changes: Partial<AuditRecord> = {}) =>
  auditRecord({ outcome: 'refused', reason: 'not_granted', ...changes });

/** A refusal of somebody unknown, who chooses every text in it. */
const anonymous = (changes: Partial<AuditRecord> = {}) =>
  refused({ reason: 'token_invalid', issuer: null, subject: null, ...changes });

test('twenty identical refusals in a second have a record each, further ones share one for each tenth of a second', async (t) => {
  const { counter, written } = counting(t);
  const ids = Array.from({ length: 50 }, () => counter.record(refused()));
  assert.equal(written.length, 20);
  t.mock.timers.tick(100);
  assert.equal(written.length, 21);
  assert.deepEqual([written[20]?.repeated, new Set(await Promise.all(ids.slice(20))).size], [30, 1]);
  const more = Array.from({ length: 7 }, () => counter.record(refused()));
  t.mock.timers.tick(100);
  assert.deepEqual([written.length, written[21]?.repeated], [22, 7]);
  assert.equal(await more[6], written[21]?.id);
  assert.notEqual(written[21]?.id, written[20]?.id);
});

test('after a second the next twenty have a record each again', (t) => {
  const { counter, written } = counting(t);
  for (let i = 0; i < 21; i++) void counter.record(refused());
  t.mock.timers.tick(1_000);
  assert.deepEqual([written.length, written[20]?.repeated], [21, 1]);
  for (let i = 0; i < 20; i++) void counter.record(refused());
  assert.equal(written.length, 41);
});

test('issued tokens, faults of verified callers and readings are never counted', (t) => {
  const { counter, written } = counting(t);
  for (const outcome of ['issued', 'failed', 'answered'] as const) {
    for (let i = 0; i < 100; i++) void counter.record(auditRecord({ outcome }));
  }
  assert.equal(written.length, 300);
  assert.ok(written.every(({ repeated }) => repeated === 1));
});

const TOLD_APART: readonly (keyof AuditRecord)[] = [
  ...(['action', 'reason', 'detail', 'issuer', 'subject', 'database', 'user', 'endpoint', 'client'] as const),
  ...(['clientAddress', 'grant', 'observed', 'configHash'] as const),
];
for (const field of TOLD_APART) {
  test(`refusals that differ in ${field} are not the same`, (t) => {
    const { counter, written } = counting(t);
    for (let i = 0; i < 20; i++) void counter.record(refused());
    void counter.record({ ...refused(), [field]: 'another' });
    assert.equal(written.length, 21);
    void counter.record({
      ...refused(),
      userAgent: 'another',
      requestId: 'another',
      traceId: 'another',
      jtiHash: null,
    });
    assert.equal(written.length, 21);
  });
}

test('when the record of many cannot be written, each of them hears it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const counter = createRefusalCounter(() => Promise.reject(new Error('full')));
  const waiting = Array.from({ length: 40 }, () => counter.record(refused()));
  t.mock.timers.tick(100);
  const results = await Promise.allSettled(waiting);
  assert.ok(results.every(({ status }) => status === 'rejected'));
});

test('nobody without a verified identity gets more records by changing what it sends', (t) => {
  const { counter, written } = counting(t);
  for (let i = 0; i < 100; i++) {
    const odd = {
      detail: `d${i}`,
      client: `c${i}`,
      database: `b${i}`,
      user: `u${i}`,
      userAgent: `a${i}`,
      requestId: `r${i}`,
    };
    void counter.record(anonymous({ ...odd, action: i % 2 === 0 ? 'token.issue' : 'caller.get' }));
  }
  t.mock.timers.tick(100);
  assert.deepEqual([written.length, written[20]?.repeated], [21, 80]);
});

test('nor by changing its address within an IPv6 network', (t) => {
  const { counter, written } = counting(t);
  for (let i = 0; i < 100; i++) void counter.record(anonymous({ clientAddress: `2001:db8:0:1::${i.toString(16)}` }));
  t.mock.timers.tick(100);
  assert.deepEqual([written.length, written[20]?.repeated], [21, 80]);
});

test('above 200 refusals of unknown senders in a second they are counted by reason alone, and name no sender', async (t) => {
  const { counter, written } = counting(t);
  const ids = Array.from({ length: 1_000 }, (_, i) =>
    counter.record(anonymous({ clientAddress: `10.0.${i >> 8}.${i & 255}` })),
  );
  void counter.record(anonymous({ reason: 'token_missing' }));
  const verified = counter.record(refused());
  assert.equal(written.length, 201);
  t.mock.timers.tick(100);
  const counted = written.slice(201);
  assert.deepEqual(
    counted.map(({ reason, repeated, clientAddress, userAgent, requestId }) => [
      reason,
      repeated,
      clientAddress,
      userAgent,
      requestId,
    ]),
    [
      ['token_invalid', 800, null, null, null],
      ['token_missing', 1, null, null, null],
    ],
  );
  assert.equal(await ids[999], counted[0]?.id);
  assert.notEqual(await verified, counted[0]?.id);
});

test('faults before there is a verified caller are counted, since made-up key ids cause them at will', async (t) => {
  const { counter, written } = counting(t);
  const fault = (i: number) =>
    anonymous({
      outcome: 'failed',
      reason: 'issuer_keys_unavailable',
      detail: `d${i}`,
      clientAddress: `10.0.0.${i % 2}`,
    });
  const ids = Array.from({ length: 100 }, (_, i) => counter.record(fault(i)));
  t.mock.timers.tick(100);
  assert.deepEqual(
    written.slice(40).map(({ outcome, repeated }) => [outcome, repeated]),
    [
      ['failed', 30],
      ['failed', 30],
    ],
  );
  assert.equal(await ids[98], written[40]?.id);
  for (let i = 0; i < 1000; i++) void counter.record(fault(i));
  t.mock.timers.tick(100);
  assert.equal(written.at(-1)?.detail, 'faults from several addresses, counted together');
});
