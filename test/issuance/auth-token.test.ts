import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refreshAfter } from '../../src/issuance/auth-token.ts';

test('a token should be replaced at two thirds of its life', () => {
  const token = { token: '', issuedAt: 1000, limitedBy: 'rds' } as const;
  assert.equal(refreshAfter({ ...token, expiresAt: 1000 + 900_000 }), 1000 + 600_000);
  assert.equal(refreshAfter({ ...token, expiresAt: 1000 + 100 }), 1000 + 66);
});
