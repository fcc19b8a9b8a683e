import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UnknownCursor } from '../../src/issuance/audit-query.ts';
import { COMMAND_LINE } from '../../src/issuance/command-line.ts';
import { asFault, Fault } from '../../src/issuance/fault.ts';

describe('faults', () => {
  const cause = new Error('secret');

  test('a fault keeps its cause and asks to come back in 5 s unless it says otherwise', () => {
    const fault = new Fault('signing_failed', 'broke', { cause });
    assert.deepEqual(
      [fault.name, fault.code, fault.message, fault.retryAfterSeconds],
      ['Fault', 'signing_failed', 'broke', 5],
    );
    assert.equal(fault.cause, cause);
    assert.equal(new Fault('internal', 'x', { retryAfterSeconds: 60 }).retryAfterSeconds, 60);
  });

  test('anything else that is thrown is internal, and its words stay in the cause', () => {
    const fault = asFault(cause);
    assert.deepEqual([fault.code, fault.message], ['internal', 'an unexpected error']);
    assert.equal(fault.cause, cause);
    assert.equal(asFault(fault), fault);
  });
});

test('words that others compare with', () => {
  const error = new UnknownCursor();
  assert.deepEqual([error.name, error.message], ['UnknownCursor', 'the cursor is not one that this store gave']);
  assert.equal(COMMAND_LINE, 'command-line');
});
