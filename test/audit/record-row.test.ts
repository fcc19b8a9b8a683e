import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECORD_FIELDS, recordOf, rowId, rowOf } from '../../src/audit/record-row.ts';
import { auditRecord } from '../support/audit-records.ts';

test('a record comes back from its row with every field at its place', () => {
  const claims = { email: 'a@b', groups: ['x', 1, false] };
  const record = auditRecord({ claims, roleArn: 'r', traceId: 'e'.repeat(32), detail: 'd', reason: 'not_granted' });
  assert.deepEqual(recordOf(rowOf(record)), record);
  assert.deepEqual(Object.keys(recordOf(rowOf(record))).sort(), Object.keys(RECORD_FIELDS).sort());
  assert.equal(rowId(rowOf(record)), record.id);
});

test('a row lists the fields in the order of RECORD_FIELDS, claims and lists as JSON', () => {
  const record = auditRecord({ claims: { a: 1 } });
  const values = new Map<string, unknown>(Object.entries(record));
  const json = new Map([
    ['claims', '{"a":1}'],
    ['observed', '["no-nights"]'],
  ]);
  const expected = Object.keys(RECORD_FIELDS).map((field) => json.get(field) ?? values.get(field));
  assert.deepEqual(rowOf(record), expected);
});

const WRONG = [
  ...[
    { id: '0199' },
    { id: '0199A0B0-0000-7000-8000-000000000000' },
    { time: -1 },
    { time: Number.NaN },
    { time: '1' },
  ],
  ...[{ configHash: 'a'.repeat(63) }, { configHash: null }, { jtiHash: 'G'.repeat(64) }, { traceId: 'a' }],
  ...[{ observed: [] }, { observed: 'x' }, { observed: { 0: 'x', length: 1 } }, { observed: ['x', 7] }],
  ...[{ action: 'token.steal' }, { outcome: 'lost' }, { claims: 'x' }, { subject: 7 }, { repeated: 1.5 }, { port: -1 }],
];
for (const change of WRONG) {
  test(`a record with ${JSON.stringify(change)} has no row`, () => {
    assert.throws(() => rowOf(Object.assign(auditRecord(), change)), { name: 'TypeError' });
  });
}
