import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { claimedCaller } from '../../src/issuance/claimed-caller.ts';

describe('the caller that claims would make', () => {
  const issuer = { name: 'corp', kubernetes: false };
  const NO_SUB = 'the sub is not a non-empty string';

  test('it has the claims, and ends with them', () => {
    const claims = { sub: 'dana', exp: 1_790_000_000 };
    const expiresAt = 1_790_000_000_000;
    const made = { issuer: 'corp', subject: 'dana', claims, workload: null, keptClaims: null, expiresAt };
    assert.deepEqual(claimedCaller(issuer, claims), made);
    assert.deepEqual(claimedCaller(issuer, { sub: 'dana' }), {
      ...made,
      claims: { sub: 'dana' },
      expiresAt: Number.POSITIVE_INFINITY,
    });
    assert.deepEqual(claimedCaller(issuer, { sub: 'dana', exp: '1790000000' }), {
      ...made,
      claims: { sub: 'dana', exp: '1790000000' },
      expiresAt: Number.POSITIVE_INFINITY,
    });
  });

  for (const claims of [{}, { sub: '' }, { sub: 7 }, { sub: null }, { sub: ['dana'] }]) {
    test(`there is none of ${JSON.stringify(claims)}`, () => assert.equal(claimedCaller(issuer, claims), NO_SUB));
  }

  test('of a Kubernetes issuer it is a service account, or there is none', () => {
    const claims = {
      sub: 'system:serviceaccount:payments:api',
      'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api' } },
    };
    const made = claimedCaller({ name: 'cluster', kubernetes: true }, claims);
    assert.ok(typeof made === 'object');
    assert.deepEqual(made.workload, { namespace: 'payments', serviceAccount: 'api' });
    assert.equal(
      claimedCaller({ name: 'cluster', kubernetes: true }, { sub: 'dana' }),
      'the sub is not that of a service account',
    );
  });
});
