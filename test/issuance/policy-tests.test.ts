import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGrants } from '../../src/issuance/grants.ts';
import { type PolicyTest, runPolicyTests } from '../../src/issuance/policy-tests.ts';
import { CATALOG } from '../support/catalog.ts';

const NOW = Date.UTC(2026, 11, 1, 12);
const GRANTS = compileGrants(
  [
    {
      name: 'api',
      issuer: 'cluster',
      namespace: 'payments',
      serviceAccount: 'api',
      notAfter: NOW + 1,
      sourceCidrs: { text: '10.0.0.0/8', holds: (address) => address.startsWith('10.') },
      allow: [{ database: 'orders', users: ['app_rw'], endpoints: ['writer', 'reader'] }],
    },
    { name: 'no-readers', issuer: 'cluster', namespace: 'payments', deny: [{ database: '*', endpoints: ['reader'] }] },
  ],
  CATALOG,
);
const BASE: PolicyTest = {
  name: 't',
  issuer: 'cluster',
  claims: {
    sub: 'system:serviceaccount:payments:api',
    'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api' } },
  },
  database: 'orders',
  user: 'app_rw',
  sourceAddress: '10.0.0.1',
  expect: 'issued',
};

const CASES: readonly [what: string, changes: Partial<PolicyTest>, difference: string | undefined][] = [
  ['what is decided', {}, undefined],
  ['the grant that decides', { grant: 'api' }, undefined],
  ['another grant', { grant: 'x' }, 'issued by grant x / issued by grant api'],
  ['a refusal', { expect: 'refused' }, 'refused / issued by grant api'],
  ['a refusal that comes', { expect: 'refused', user: 'admin' }, undefined],
  ['a deny', { expect: 'refused', endpoint: 'reader', grant: 'no-readers' }, undefined],
  [
    'a deny that is none',
    { expect: 'refused', user: 'admin', grant: 'no-readers' },
    'refused by grant no-readers / refused (no grant allows {"database":"orders","user":"admin"})',
  ],
  [
    'a token from elsewhere',
    { sourceAddress: '11.0.0.1' },
    'issued / refused (no grant allows {"database":"orders","user":"app_rw"})',
  ],
  ['a token from nowhere', { sourceAddress: undefined, expect: 'refused' }, undefined],
  ['a time after the window', { at: NOW + 1, expect: 'refused' }, undefined],
  ['a time in the window', { at: NOW }, undefined],
  [
    'a token that is bound to nothing',
    { claims: { sub: 'system:serviceaccount:payments:api' } },
    'issued / refused (as a token of cluster: it has no kubernetes.io claims)',
  ],
];
for (const [what, changes, difference] of CASES) {
  test(`a policy test that expects ${what} ${difference === undefined ? 'passes' : 'tells the difference'}`, () => {
    const found = runPolicyTests([{ ...BASE, ...changes }], GRANTS, new Set(['cluster']), NOW);
    const [first] = found.map(({ expected, decided }) => `${expected} / ${decided}`);
    assert.equal(first, difference);
  });
}
