import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, type GrantExplanation } from '../../src/issuance/explain.ts';
import { compileGrants, type GrantRule } from '../../src/issuance/grants.ts';
import { caller, CATALOG, CIRCUMSTANCES } from '../support/catalog.ts';

const DAY = 86_400_000;
const { now } = CIRCUMSTANCES;
const iso = (time: number) => new Date(time).toISOString();

const DANA = caller({
  subject: 'system:serviceaccount:payments:api',
  claims: { team: 'payments', groups: ['dba', 'ops'], preferred_username: 'dev_dana', nickname: 7 },
  workload: { namespace: 'payments', serviceAccount: 'api' },
});

/** One grant, explained to a caller. */
function explained(rule: Partial<GrantRule>, who = DANA, wanted = {}, circumstances = CIRCUMSTANCES): GrantExplanation {
  const base: GrantRule = { name: 'g', issuer: 'cluster', subject: DANA.subject };
  const allow = [{ database: 'orders', users: ['app_rw'], endpoints: ['writer'] }];
  const grants = compileGrants([{ ...base, ...(rule.deny === undefined ? { allow } : {}), ...rule }], CATALOG);
  const [found] = explain(who, wanted, grants, circumstances).grants;
  return found ?? assert.fail();
}

test('a grant is explained condition by condition, as it is written, with what the caller has there', () => {
  const { conditions, ...rest } = explained({
    subjectGlob: 'system:*:payments:*',
    namespace: 'payments',
    serviceAccount: 'api',
    claims: { team: 'payments', groups: 'dba', 'a.b': true },
    sourceCidrs: { text: '10.0.0.0/8', holds: (address) => address.startsWith('10.') },
    when: { text: "claims.team == 'payments'", holds: ({ claims }) => claims['team'] === 'payments' },
    notBefore: now - DAY,
    notAfter: now + DAY,
  });
  assert.deepEqual(rest, {
    name: 'g',
    mode: 'enforce',
    effect: 'allow',
    applies: false,
    concerns: true,
    claimMistakes: [],
  });
  assert.deepEqual(
    conditions.map(({ text, verdict, given }) => [text, verdict, given]),
    [
      ['issuer: cluster', 'holds', { value: 'cluster' }],
      ['subject: system:serviceaccount:payments:api', 'holds', { value: DANA.subject }],
      ['subjectGlob: system:*:payments:*', 'holds', { value: DANA.subject }],
      ['namespace: payments', 'holds', { value: 'payments' }],
      ['serviceAccount: api', 'holds', { value: 'api' }],
      ['claims: team: "payments"', 'holds', { value: 'payments' }],
      ['claims: groups: "dba"', 'holds', { value: ['dba', 'ops'] }],
      ['claims: a.b: true', 'fails', { value: undefined }],
      ['sourceCidrs: 10.0.0.0/8', 'holds', { value: '10.1.2.3' }],
      ["when: claims.team == 'payments'", 'holds', null],
      [`notBefore: ${iso(now - DAY)}`, 'holds', { value: iso(now) }],
      [`notAfter: ${iso(now + DAY)}`, 'holds', { value: iso(now) }],
    ],
  );
});

test('what fails and what cannot be told are told apart', () => {
  const { conditions } = explained(
    {
      subject: 'somebody',
      subjectGlob: 'some*',
      namespace: 'payments',
      serviceAccount: 'api',
      sourceCidrs: { text: '10.0.0.0/8', holds: () => true },
      when: {
        text: 'claims.level > 3',
        holds() {
          throw new Error('there is no level');
        },
      },
      notBefore: now + 1,
      notAfter: now,
    },
    caller({ workload: null }),
    {},
    { now, clientAddress: null },
  );
  assert.deepEqual(
    conditions.map(({ verdict, given }) => [verdict, given?.value]),
    [
      ['holds', 'cluster'],
      ['fails', 'system:serviceaccount:payments:api'],
      ['fails', 'system:serviceaccount:payments:api'],
      ['fails', undefined],
      ['fails', undefined],
      ['undecidable', undefined],
      ['undecidable', undefined],
      ['fails', iso(now)],
      ['fails', iso(now)],
    ],
  );
});

const WANTED: readonly [what: string, rule: Partial<GrantRule>, wanted: object, concerns: boolean][] = [
  ['an allow, of what is wanted', {}, { database: 'orders', user: 'app_rw' }, true],
  ['an allow, of another user', {}, { database: 'orders', user: 'app_ro' }, false],
  ['an allow, of another database', {}, { database: 'billing' }, false],
  ['a deny of the database', { deny: [{ database: 'orders' }] }, { database: 'orders', user: 'app_ro' }, true],
  ['a deny of another database', { deny: [{ database: 'billing' }] }, { database: 'orders' }, false],
  ['a deny of everything', { deny: [{ database: '*' }] }, { database: 'orders' }, true],
];
for (const [what, rule, wanted, concerns] of WANTED) {
  test(`${what}: ${concerns ? 'it is' : 'it is not'} about what is wanted`, () => {
    const found = explained(rule, DANA, wanted);
    assert.deepEqual([found.concerns, found.effect], [concerns, rule.deny === undefined ? 'allow' : 'deny']);
    assert.equal(found.applies, true);
  });
}

test('a grant that only observes says so, and a deny in doubt applies', () => {
  const when = {
    text: 'claims.level > 3',
    holds(): boolean {
      throw new Error('there is no level');
    },
  };
  assert.deepEqual([explained({ mode: 'observe' }).mode, explained({ mode: 'enforce' }).mode], ['observe', 'enforce']);
  assert.equal(explained({ when }).applies, false);
  assert.equal(explained({ when, deny: [{ database: 'orders' }] }).applies, true);
});

test('claims that were to name a user and name none say why, for the databases that are asked about', () => {
  const allow = [
    {
      database: 'orders',
      users: [],
      claimedUsers: [
        { claim: 'preferred_username', prefixes: ['dev_'] },
        { claim: 'nickname', prefixes: ['dev_'] },
      ],
      endpoints: ['writer'],
    },
    {
      database: 'billing',
      users: [],
      claimedUsers: [{ claim: 'preferred_username', prefixes: ['ops_'] }],
      endpoints: ['writer'],
    },
  ];
  const orders = 'the claim nickname is not a text';
  const billing = 'the claim preferred_username begins with none of ops_';
  assert.deepEqual(explained({ allow }).claimMistakes, [orders, billing]);
  assert.deepEqual(explained({ allow }, DANA, { database: 'orders' }).claimMistakes, [orders]);
  assert.deepEqual(explained({ allow }, DANA, { database: 'billing' }).claimMistakes, [billing]);
});

test('the decision is the one that a request would get, with every grant in the order of the configuration', () => {
  const allow = [{ database: 'orders', users: ['app_rw'], endpoints: ['writer'] }];
  const grants = compileGrants(
    [
      { name: 'other', issuer: 'corp', subject: 'x', allow },
      { name: 'api', issuer: 'cluster', subject: DANA.subject, allow },
      { name: 'stop', issuer: 'cluster', subject: DANA.subject, mode: 'observe', deny: [{ database: 'orders' }] },
    ],
    CATALOG,
  );
  const { decided, observed, grants: found } = explain(DANA, { database: 'orders' }, grants, CIRCUMSTANCES);
  assert.ok(decided.ok && decided.value.grant === 'api');
  assert.deepEqual(observed, ['stop']);
  assert.deepEqual(
    found.map(({ name, applies }) => [name, applies]),
    [
      ['other', false],
      ['api', true],
      ['stop', true],
    ],
  );
});
