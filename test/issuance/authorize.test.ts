import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize, permissionsOf, type WantedIdentity } from '../../src/issuance/authorize.ts';
import { compileGrants, type GrantRule } from '../../src/issuance/grants.ts';
import { caller, CATALOG, CIRCUMSTANCES } from '../support/catalog.ts';

const RULES: readonly GrantRule[] = [
  {
    name: 'api',
    issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    allow: [{ database: 'orders', users: ['app_rw', 'app_ro'], endpoints: ['writer', 'reader'] }],
  },
  {
    name: 'jobs',
    issuer: 'cluster',
    subjectGlob: 'system:serviceaccount:payments:*',
    allow: [
      { database: 'orders', users: ['app_ro'], endpoints: ['reader'] },
      { database: 'billing', users: ['app_ro'], endpoints: ['writer'] },
    ],
  },
  {
    name: 'dba',
    issuer: 'corp',
    claims: { groups: 'dba' },
    allow: [{ database: 'orders', users: ['admin'], endpoints: ['writer'] }],
  },
];
const GRANTS = compileGrants(RULES, CATALOG);

function decide(wanted: WantedIdentity, who = caller()): string {
  const { decided } = authorize(who, wanted, GRANTS, CIRCUMSTANCES);
  if (!decided.ok) return decided.refusal.reason;
  const { database, user, endpoint, grant } = decided.value;
  return [database.name, user, endpoint.name, grant].join(' ');
}

const CASES: readonly [wanted: WantedIdentity, decision: string][] = [
  [{ database: 'orders', user: 'app_rw', endpoint: 'reader' }, 'orders app_rw reader api'],
  [{ database: 'orders', user: 'app_rw' }, 'orders app_rw writer api'],
  [{ user: 'app_rw' }, 'orders app_rw writer api'],
  [{ database: 'billing' }, 'billing app_ro writer jobs'],
  [{ database: 'orders' }, 'choice_ambiguous'],
  [{ user: 'app_ro' }, 'choice_ambiguous'],
  [{}, 'choice_ambiguous'],
  [{ database: 'billing', user: 'app_rw' }, 'not_granted'],
  [{ database: 'billing', endpoint: 'reader' }, 'not_granted'],
  [{ database: 'orders', user: 'admin' }, 'not_granted'],
  [{ database: 'nope' }, 'not_granted'],
  [{ user: 'APP_RW' }, 'not_granted'],
  [{ user: '*' }, 'not_granted'],
  [{ database: '__proto__', user: 'constructor', endpoint: 'toString' }, 'not_granted'],
];
for (const [wanted, decision] of CASES) {
  test(`the payments API asking for ${JSON.stringify(wanted)} gets ${decision}`, () => {
    assert.equal(decide(wanted), decision);
  });
}

test('nobody but those whom a grant names gets anything', () => {
  const strangers = [
    caller({ subject: 'system:serviceaccount:games:api' }),
    caller({ subject: 'system:serviceaccount:payments-x:api' }),
    caller({ issuer: 'corp' }),
    caller({ issuer: 'corp', claims: { groups: 'dbas' } }),
    caller({ issuer: 'corp', claims: { groups: ['DBA', 'dba '] } }),
    caller({ issuer: 'cluster', subject: 'x', claims: { groups: ['dba'] } }),
  ];
  for (const stranger of strangers) {
    assert.equal(decide({}, stranger), 'not_granted');
    assert.deepEqual(permissionsOf(stranger, GRANTS, CIRCUMSTANCES), []);
  }
  for (const groups of ['dba', ['x', 'dba']]) {
    assert.equal(
      decide({}, caller({ issuer: 'corp', subject: 'dana', claims: { groups } })),
      'orders admin writer dba',
    );
  }
});

test('ambiguous choices are the caller’s own, each once, under the first grant in the configuration', () => {
  const { decided } = authorize(caller(), {}, GRANTS, CIRCUMSTANCES);
  assert.ok(!decided.ok && decided.refusal.reason === 'choice_ambiguous');
  assert.deepEqual(
    decided.refusal.choices.map(({ database, user, endpoint }) => [database, user, endpoint].join(' ')),
    [
      'orders app_rw writer',
      'orders app_rw reader',
      'orders app_ro writer',
      'orders app_ro reader',
      'billing app_ro writer',
    ],
  );
});

test('without grants nobody gets anything', () => {
  const { decided } = authorize(caller(), {}, compileGrants([], CATALOG), CIRCUMSTANCES);
  assert.ok(!decided.ok && decided.refusal.reason === 'not_granted');
});
