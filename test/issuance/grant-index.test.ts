import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallerConditions } from '../../src/issuance/caller-conditions.ts';
import { createGrantIndex } from '../../src/issuance/grant-index.ts';
import { caller } from '../support/catalog.ts';

const workload = { namespace: 'payments', serviceAccount: 'api' };
const API = caller({ workload });

const RULES: readonly CallerConditions[] = [
  { issuer: 'cluster', claims: { team: 'a' } },
  { issuer: 'cluster', subject: API.subject },
  { issuer: 'cluster', namespace: 'payments' },
  { issuer: 'cluster', namespace: 'payments', serviceAccount: 'api' },
  { issuer: 'cluster', subjectGlob: 'system:*' },
  { issuer: 'corp', subject: API.subject },
  { issuer: 'cluster', subject: API.subject, namespace: 'payments' },
  { issuer: 'cluster', subject: 'other' },
  { issuer: 'cluster', namespace: 'games' },
  { issuer: 'cluster', namespace: 'payments', serviceAccount: 'web' },
];

test('the candidates are the rules of the issuer that could be met, in the order of the list', () => {
  const { candidates } = createGrantIndex(RULES);
  assert.deepEqual(candidates(API), [0, 1, 2, 3, 4, 6]);
  assert.deepEqual(candidates({ ...API, workload: null }), [0, 1, 3, 4, 6]);
  assert.deepEqual(candidates({ ...API, issuer: 'corp' }), [5]);
  assert.deepEqual(candidates({ ...API, issuer: 'unknown' }), []);
});

test('rules of an exact subject alone are found without looking at any other', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => ({ issuer: 'cluster', subject: `s${at}` }));
  assert.deepEqual(createGrantIndex(rules).candidates(caller({ subject: 's7' })), [7]);
  assert.deepEqual(createGrantIndex(rules).candidates(caller({ subject: 'x' })), []);
});
