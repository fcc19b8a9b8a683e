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

const refused = (changes: Partial<AuditRecord> = {}) =>
  auditRecord({ outcome: 'refused', reason: 'token_invalid', ...changes });

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

test('issued tokens, faults and readings are never counted', (t) => {
  const { counter, written } = counting(t);
  for (const outcome of ['issued', 'failed', 'answered'] as const) {
    for (let i = 0; i < 100; i++) void counter.record(auditRecord({ outcome }));
  }
  assert.equal(written.length, 300);
  assert.ok(written.every(({ repeated }) => repeated === 1));
});

const TOLD_APART: readonly (keyof AuditRecord)[] = [
  ...(['action', 'reason', 'detail', 'issuer', 'subject', 'database', 'user', 'endpoint', 'client'] as const),
  'clientAddress',
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

test('of more than 10,000 kinds in a second, new ones have a record each', (t) => {
  const { counter, written } = counting(t);
  for (let i = 0; i < 10_000; i++) void counter.record(refused({ clientAddress: `a${i}` }));
  for (let i = 0; i < 100; i++) void counter.record(refused({ clientAddress: 'late' }));
  assert.equal(written.length, 10_100);
});
