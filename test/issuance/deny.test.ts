import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize, permissionsOf, type WantedIdentity } from '../../src/issuance/authorize.ts';
import type { Circumstances } from '../../src/issuance/circumstances.ts';
import { compileGrants, type GrantRule } from '../../src/issuance/grants.ts';
import { caller, CATALOG, CIRCUMSTANCES } from '../support/catalog.ts';

const API: GrantRule = {
  name: 'api',
  issuer: 'cluster',
  subject: 'system:serviceaccount:payments:api',
  allow: [
    { database: 'orders', users: ['app_rw', 'app_ro'], endpoints: ['writer', 'reader'] },
    { database: 'billing', users: ['app_rw'], endpoints: ['writer'] },
  ],
};
const STOP: GrantRule = { name: 'stop', issuer: 'cluster', subject: API.subject, deny: [{ database: 'orders' }] };

function decide(
  rules: readonly GrantRule[],
  wanted: WantedIdentity,
  who = caller(),
  circumstances: Circumstances = CIRCUMSTANCES,
): string {
  const { decided, observed } = authorize(who, wanted, compileGrants(rules, CATALOG), circumstances);
  const saw = observed.length === 0 ? '' : ` saw ${observed.join(',')}`;
  if (!decided.ok)
    return (
      decided.refusal.reason +
      (decided.refusal.reason === 'not_granted' ? ` ${decided.refusal.grant ?? '-'}` : '') +
      saw
    );
  const { database, user, endpoint, grant } = decided.value;
  return `${database.name} ${user} ${endpoint.name} ${grant}${saw}`;
}

const RW = { database: 'orders', user: 'app_rw' };
const failing = (): boolean => {
  throw new Error('no such key');
};

const CASES: readonly [what: string, deny: Partial<GrantRule>, wanted: WantedIdentity, decision: string][] = [
  ['of the database', {}, RW, 'not_granted stop'],
  ['of the database, asked for another', {}, { database: 'billing' }, 'billing app_rw writer api'],
  ['of every database', { deny: [{ database: '*' }] }, { database: 'billing' }, 'not_granted stop'],
  ['of the user', { deny: [{ database: 'orders', users: ['app_rw'] }] }, RW, 'not_granted stop'],
  ['of another user', { deny: [{ database: 'orders', users: ['app_ro'] }] }, RW, 'orders app_rw writer api'],
  [
    'of one endpoint, asked for the other',
    { deny: [{ database: 'orders', endpoints: ['writer'] }] },
    RW,
    'orders app_rw reader api',
  ],
  [
    'of a user at every database',
    { deny: [{ database: '*', users: ['app_rw'] }] },
    { database: 'orders' },
    'orders app_ro writer api',
  ],
  ['that leaves one choice', {}, {}, 'billing app_rw writer api'],
  ['of somebody else', { subject: 'x' }, RW, 'orders app_rw writer api'],
  ['of another issuer', { issuer: 'corp' }, RW, 'orders app_rw writer api'],
  ['whose condition fails', { claims: { team: 'x' } }, RW, 'orders app_rw writer api'],
  ['whose expression is true', { when: { text: 'w', holds: () => true } }, RW, 'not_granted stop'],
  ['whose expression is false', { when: { text: 'w', holds: () => false } }, RW, 'orders app_rw writer api'],
  ['whose expression throws', { when: { text: 'w', holds: failing } }, RW, 'not_granted stop'],
  [
    'whose expression throws, but whose claim is another',
    { claims: { team: 'x' }, when: { text: 'w', holds: failing } },
    RW,
    'orders app_rw writer api',
  ],
  ['that only observes', { mode: 'observe' }, RW, 'orders app_rw writer api saw stop'],
  [
    'that only observes another user',
    { mode: 'observe', deny: [{ database: 'orders', users: ['x'] }] },
    RW,
    'orders app_rw writer api',
  ],
  ['that has not begun', { notBefore: CIRCUMSTANCES.now + 1 }, RW, 'orders app_rw writer api'],
  ['that begins now', { notBefore: CIRCUMSTANCES.now }, RW, 'not_granted stop'],
  ['that ends now', { notAfter: CIRCUMSTANCES.now }, RW, 'orders app_rw writer api'],
  ['that ends in a moment', { notAfter: CIRCUMSTANCES.now + 1 }, RW, 'not_granted stop'],
];
for (const [what, deny, wanted, decision] of CASES) {
  test(`with a deny ${what}, ${JSON.stringify(wanted)} gets ${decision}, in either order`, () => {
    const stop = { ...STOP, ...deny };
    assert.equal(decide([API, stop], wanted), decision);
    assert.equal(decide([stop, API], wanted), decision);
  });
}

test('an ambiguous claim lets nobody in and keeps nobody out of a deny', () => {
  const who = caller({ claims: { 'a.b': 'x', a: { b: 'x' } } });
  const claims = { 'a.b': 'x' };
  assert.equal(decide([{ ...API, claims }], RW, who), 'not_granted -');
  assert.equal(decide([API, { ...STOP, claims }], RW, who), 'not_granted stop');
});

test('an unknown address lets nobody in and keeps nobody out of a deny', () => {
  const sourceCidrs = { text: '10.0.0.0/8', holds: (address: string) => address.startsWith('10.') };
  const at = (clientAddress: string | null) => ({ ...CIRCUMSTANCES, clientAddress });
  const allowed = [{ ...API, sourceCidrs }];
  assert.equal(decide(allowed, RW, caller(), at('10.0.0.1')), 'orders app_rw writer api');
  assert.equal(decide(allowed, RW, caller(), at('11.0.0.1')), 'not_granted -');
  assert.equal(decide(allowed, RW, caller(), at(null)), 'not_granted -');
  const denied = [API, { ...STOP, sourceCidrs }];
  assert.equal(decide(denied, RW, caller(), at('10.0.0.1')), 'not_granted stop');
  assert.equal(decide(denied, RW, caller(), at('11.0.0.1')), 'orders app_rw writer api');
  assert.equal(decide(denied, RW, caller(), at(null)), 'not_granted stop');
});

test('an allow that only observes gives nothing and is named where it would have', () => {
  const observing: GrantRule = { ...API, name: 'new', mode: 'observe' };
  assert.equal(decide([observing], RW), 'not_granted - saw new');
  assert.equal(decide([observing], { database: 'orders', user: 'x' }), 'not_granted -');
  assert.equal(decide([observing, API], RW), 'orders app_rw writer api saw new');
  assert.deepEqual(permissionsOf(caller(), compileGrants([observing], CATALOG), CIRCUMSTANCES), []);
});

test('what is denied is not among what a caller may be', () => {
  const grants = compileGrants([API, STOP], CATALOG);
  assert.deepEqual(
    permissionsOf(caller(), grants, CIRCUMSTANCES).map(({ database }) => database.name),
    ['billing'],
  );
});

const BROKEN: readonly [what: string, rule: GrantRule, message: RegExp][] = [
  ['an unknown database', { ...STOP, deny: [{ database: 'nope' }] }, /names the unknown database nope/],
  [
    'an unknown endpoint',
    { ...STOP, deny: [{ database: 'orders', endpoints: ['x'] }] },
    /names the unknown endpoint x/,
  ],
  [
    'an endpoint of no database',
    { ...STOP, deny: [{ database: '*', endpoints: ['x'] }] },
    /names the unknown endpoint x/,
  ],
  ['neither allow nor deny', { ...STOP, deny: undefined }, /names nothing that it is for/],
  ['both', { ...API, deny: [{ database: '*' }] }, /names nothing that it is for/],
  ['a service account of any namespace', { ...STOP, serviceAccount: 'a' }, /names a service account of any namespace/],
];
for (const [what, rule, message] of BROKEN) {
  test(`a grant with ${what} does not compile`, () => {
    assert.throws(() => compileGrants([rule], CATALOG), message);
  });
}
