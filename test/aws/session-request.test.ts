import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsText, sessionNamePart, SOURCE_IDENTITY, TAG_VALUE } from '../../src/aws/aws-text.ts';
import { credentialPlanOf, type RolePlan, type WebIdentityPlan } from '../../src/aws/credential-plan.ts';
import { sessionKey, sessionRequest } from '../../src/aws/session-request.ts';
import { warmSessions } from '../../src/aws/warm-sessions.ts';
import type { GrantRule } from '../../src/issuance/grants.ts';
import { caller, CATALOG, database } from '../support/catalog.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';

const ARN = 'arn:aws:iam::123456789012:role/orders-connect';
const AUDIT_ID = '01a21b34-6ec2-7730-a800-d9d1da664aa0';

function rolePlan(more: Partial<RolePlan> = {}): RolePlan {
  const role = { arn: ARN, scope: 'shared' as const, sessionDuration: 3_600_000, warm: false };
  const plan = credentialPlanOf({ role, webIdentity: undefined, region: 'us-west-2' }, undefined);
  return plan.kind === 'role' ? { ...plan, ...more } : assert.fail();
}

const webIdentityPlan = (more: Partial<WebIdentityPlan> = {}): WebIdentityPlan => ({
  kind: 'webIdentity',
  key: 'k',
  arn: ARN,
  scope: 'perCaller',
  durationSeconds: 3600,
  stsRegion: 'us-west-2',
  issuers: ['cluster'],
  ...more,
});

function wanted(more: Partial<Parameters<typeof sessionKey>[1]> = {}) {
  return { database: database(), user: 'app_rw', caller: caller(), jwt: 'a.b.c', auditId: AUDIT_ID, ...more };
}

/** What a change of the request makes of the session: the same one, or another. */
const OTHERS = {
  user: wanted({ user: 'app_ro' }),
  cluster: wanted({ database: database({ resourceId: 'cluster-OTHER' }) }),
  'database name': wanted({ database: database({ name: 'other' }) }),
  subject: wanted({ caller: caller({ subject: 'other' }) }),
  issuer: wanted({ caller: caller({ issuer: 'corp' }) }),
  jwt: wanted({ jwt: 'd.e.f' }),
  'audit id': wanted({ auditId: 'other' }),
};
const TABLE: readonly [what: string, plan: RolePlan | WebIdentityPlan, another: (keyof typeof OTHERS)[]][] = [
  ['shared', rolePlan(), []],
  ['perUser', rolePlan({ scope: 'perUser' }), ['user', 'cluster']],
  ['perCaller', rolePlan({ scope: 'perCaller' }), ['user', 'cluster', 'database name', 'subject', 'issuer']],
  ['webIdentity shared', webIdentityPlan({ scope: 'shared' }), ['jwt']],
  ['webIdentity perUser', webIdentityPlan({ scope: 'perUser' }), ['user', 'cluster', 'jwt']],
  ['webIdentity perCaller', webIdentityPlan(), ['user', 'cluster', 'database name', 'subject', 'issuer', 'jwt']],
];
for (const [what, plan, another] of TABLE) {
  test(`${what}: another session for another ${another.join(', ') || 'nothing'}, and for nothing else`, () => {
    const own = sessionKey(plan, wanted());
    const different = Object.entries(OTHERS).filter(([, other]) => sessionKey(plan, other) !== own);
    assert.deepEqual(
      different.map(([name]) => name),
      another,
    );
  });
}

test('equal settings are one role, and any other setting is another', () => {
  const changes = [
    { arn: `${ARN}2` },
    { scope: 'perUser' as const },
    { externalId: 'x2' },
    { sessionDuration: 1_800_000 },
  ];
  const keyOf = (more: object) => {
    const role = { arn: ARN, scope: 'shared' as const, sessionDuration: 3_600_000, warm: false, ...more };
    const plan = credentialPlanOf({ role, webIdentity: undefined, region: 'us-west-2' }, undefined);
    return plan.kind === 'own' ? assert.fail() : plan.key;
  };
  assert.equal(keyOf({}), keyOf({}));
  const keys = [{}, ...changes, { tags: { a: 'b' } }, { via: [{ arn: `${ARN}3` }] }, { stsRegion: 'eu-west-1' }].map(
    keyOf,
  );
  assert.equal(new Set(keys).size, keys.length);
});

test('STS is asked in the region of the service, or in the database’s where that is unknown or of another partition', () => {
  const regionOf = (region: string, own: string | undefined) => {
    const role = { arn: ARN, scope: 'shared' as const, sessionDuration: 3_600_000, warm: false };
    const plan = credentialPlanOf({ role, webIdentity: undefined, region }, own);
    return plan.kind === 'own' ? assert.fail() : plan.stsRegion;
  };
  assert.equal(regionOf('us-west-2', undefined), 'us-west-2');
  assert.equal(regionOf('us-west-2', 'eu-west-1'), 'eu-west-1');
  assert.equal(regionOf('cn-north-1', 'eu-west-1'), 'cn-north-1');
  assert.equal(regionOf('us-gov-west-1', 'us-gov-east-1'), 'us-gov-east-1');
});

test('a service account is named NAMESPACE.NAME, others as far as their subject may be written', () => {
  const plan = rolePlan({ scope: 'perCaller' });
  const workload = { namespace: 'payments', serviceAccount: 'api', pod: null, node: null };
  const pod = sessionRequest(plan, wanted({ caller: caller({ workload }) }), 'host-1');
  assert.equal(pod.sessionName, `${AUDIT_ID}@payments.api`);
  assert.equal(pod.sourceIdentity, 'payments.api@cluster');
  const person = sessionRequest(plan, wanted({ caller: caller({ subject: 'dana@corp.example' }) }), 'host-1');
  assert.equal(person.sessionName, `${AUDIT_ID}@dana@corp.example`);
});

test('every name is one that STS takes, whatever callers, users and hosts are called', () => {
  const plan = rolePlan({ scope: 'perCaller' });
  const names = NAUGHTY_STRINGS.filter((text) => text !== '');
  assert.ok(names.length > 100);
  for (const text of names) {
    const odd = wanted({ caller: caller({ subject: text, issuer: 'cluster' }), user: text });
    for (const { sessionName, sourceIdentity, tags } of [
      sessionRequest(plan, odd, text),
      sessionRequest(rolePlan(), odd, text),
    ]) {
      assert.match(sessionName, /^[\w+=,.@-]{2,64}$/);
      if (sourceIdentity !== null) assert.match(sourceIdentity, /^[\w+=,.@-]{2,64}$/);
      for (const [, value] of tags) assert.match(value, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u);
    }
  }
});

test('texts that had to be changed stay different, and none can be written so as to look like another', () => {
  for (const form of [TAG_VALUE, SOURCE_IDENTITY, sessionNamePart(27)]) {
    assert.notEqual(awsText('a|b', form), awsText('a*b', form));
    const long = 'x'.repeat(300);
    assert.notEqual(awsText(`${long}1`, form), awsText(`${long}2`, form));
    const changed = awsText('a|b', form);
    assert.notEqual(awsText(changed, form), changed);
    assert.ok(awsText('😀'.repeat(300), form).isWellFormed());
    assert.equal(awsText('plain.name', form), 'plain.name');
  }
});

test('warm: one session of a shared role, and with perUser one for each user that a grant in force names', () => {
  const grants: GrantRule[] = [
    {
      name: 'a',
      issuer: 'cluster',
      allow: [{ database: 'orders', users: ['app_rw', 'app_ro'], endpoints: ['writer'] }],
    },
    { name: 'b', issuer: 'cluster', allow: [{ database: 'orders', users: ['app_ro'], endpoints: ['writer'] }] },
    {
      name: 'c',
      issuer: 'cluster',
      mode: 'observe',
      allow: [{ database: 'orders', users: ['x'], endpoints: ['writer'] }],
    },
    { name: 'd', issuer: 'cluster', allow: [{ database: 'billing', users: ['y'], endpoints: ['writer'] }] },
  ];
  const usersOf = (plan: RolePlan | { kind: 'own' }, warm = ['orders']) =>
    warmSessions(new Set(warm), CATALOG, new Map([['orders', plan]]), grants).map(({ wanted: { user } }) => user);
  assert.deepEqual(usersOf(rolePlan()), ['']);
  assert.deepEqual(usersOf(rolePlan({ scope: 'perUser' })), ['app_rw', 'app_ro']);
  assert.deepEqual(usersOf({ kind: 'own' }), []);
  assert.deepEqual(usersOf(rolePlan(), ['billing']), []);
});
