import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepClaimsAt } from '../../src/issuance/keep-claims.ts';

const CLAIMS = {
  email: 'a@b',
  groups: ['dba', 7, true, null, { secret: 'x' }, ['y']],
  'kubernetes.io': { namespace: 'payments', pod: { name: 'api-1' } },
  nothing: null,
  map: { secret: 'x' },
  long: 'é'.repeat(1_000),
  many: Array.from({ length: 100 }, (_, index) => index),
};

test('only the claims at the paths are kept, scalars and lists of them', () => {
  assert.deepEqual(keepClaimsAt(CLAIMS, ['email', 'groups', 'kubernetes.io.namespace', 'kubernetes.io.pod.name']), {
    email: 'a@b',
    groups: ['dba', 7, true],
    'kubernetes.io.namespace': 'payments',
    'kubernetes.io.pod.name': 'api-1',
  });
});

test('maps, nulls and claims that are not there are left out; of none there is null', () => {
  assert.equal(keepClaimsAt(CLAIMS, ['nothing', 'map', 'absent', 'kubernetes.io']), null);
  assert.equal(keepClaimsAt(CLAIMS, []), null);
});

test('long texts and lists are cut', () => {
  const kept = keepClaimsAt(CLAIMS, ['long', 'many']);
  assert.deepEqual(kept, { long: 'é'.repeat(256), many: Array.from({ length: 32 }, (_, index) => index) });
});
