import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstAuditIdAt, newAuditId } from '../../src/issuance/audit-id.ts';

test('the first id of a time sorts before every id of it, and after every earlier one', () => {
  const time = Date.UTC(2026, 10, 24, 10);
  const first = firstAuditIdAt(time);
  assert.equal(first, '01a20cff-7d00-0000-0000-000000000000');
  for (let n = 0; n < 50; n++) {
    assert.ok(newAuditId(time) > first);
    assert.ok(newAuditId(time - 1) < first);
  }
  assert.match(newAuditId(time), /^01a20cff-7d00-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
