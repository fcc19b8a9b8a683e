import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssumeRoleWithWebIdentityCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import type { PolicyDocument } from '../../demo/sandbox-sts/policy.ts';
import { ANYTHING, openSandbox, policy, ROLE, refused, SECOND_ROLE, trust, USER } from './sts-fixture.ts';

type Input = Partial<AssumeRoleCommandInput>;
const ROOT = 'arn:aws:iam::111122223333:root';
const DENY_ALL = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' } as const;
const TAGS = { Tags: [{ Key: 'Team', Value: 'red' }] };

const TRUST: readonly [what: string, trust: PolicyDocument, input: Input, missing: string | undefined][] = [
  ['the user', trust(), {}, undefined],
  ['one of several', trust({ Principal: { AWS: ['arn:aws:iam::111122223333:user/x', USER.arn] } }), {}, undefined],
  ["the user's account, by its root", trust({ Principal: { AWS: ROOT } }), {}, undefined],
  ["the user's account, by its id", trust({ Principal: { AWS: '111122223333' } }), {}, undefined],
  ['everybody', trust({ Principal: '*' }), {}, undefined],
  ['another user', trust({ Principal: { AWS: `${USER.arn}2` } }), {}, 'sts:AssumeRole'],
  ['another account', trust({ Principal: { AWS: '999900001111' } }), {}, 'sts:AssumeRole'],
  ['a service', trust({ Principal: { Service: 'rds.amazonaws.com' } }), {}, 'sts:AssumeRole'],
  ['nobody', policy(), {}, 'sts:AssumeRole'],
  ['the user, but denies all', policy(...[trust().Statement, DENY_ALL].flat()), {}, 'sts:AssumeRole'],
  ['the user, for web identity', trust({ Action: 'sts:AssumeRoleWithWebIdentity' }), {}, 'sts:AssumeRole'],
  ['the user, not for tags', trust({ Action: 'sts:AssumeRole' }), TAGS, 'sts:TagSession'],
  ['the user, for tags', trust({ Action: ['sts:AssumeRole', 'sts:TagSession'] }), TAGS, undefined],
  [
    'the user, not for a source identity',
    trust({ Action: ['sts:AssumeRole', 'sts:TagSession'] }),
    { SourceIdentity: 'dana' },
    'sts:SetSourceIdentity',
  ],
  [
    'one external id, and it is there',
    trust({ Condition: { StringEquals: { 'sts:ExternalId': 'one' } } }),
    { ExternalId: 'one' },
    undefined,
  ],
  [
    'one external id, not another',
    trust({ Condition: { StringEquals: { 'sts:ExternalId': 'one' } } }),
    { ExternalId: 'two' },
    'sts:AssumeRole',
  ],
  [
    'one external id, not none',
    trust({ Condition: { StringEquals: { 'sts:ExternalId': 'one' } } }),
    {},
    'sts:AssumeRole',
  ],
  [
    'session names, source identities and tags of a kind',
    trust({
      Condition: {
        StringLike: { 'sts:RoleSessionName': 'app-*', 'sts:SourceIdentity': 'd?na' },
        StringEquals: { 'aws:RequestTag/Team': ['blue', 'red'] },
      },
    }),
    { RoleSessionName: 'app-1', SourceIdentity: 'dana', ...TAGS },
    undefined,
  ],
  [
    'session names of another kind',
    trust({ Condition: { StringLike: { 'sts:RoleSessionName': 'app-*' } } }),
    { RoleSessionName: 'web-1' },
    'sts:AssumeRole',
  ],
];
for (const [what, trustPolicy, input, missing] of TRUST) {
  test(`a role that trusts ${what} ${missing === undefined ? 'can be' : 'cannot be'} assumed`, async (t) => {
    const { assume, roles } = await openSandbox(t);
    roles.set(ROLE, { trustPolicy, permissionPolicy: ANYTHING });
    if (missing === undefined) return void (await assume(input));
    const message = `User: ${USER.arn} is not authorized to perform: ${missing} on resource: ${ROLE}`;
    await refused(assume(input), 403, 'AccessDenied', message);
  });
}

test('a session needs the policies of its role and its own, as well as the trust of the second role', async (t) => {
  const { assume, roles } = await openSandbox(t);
  const mayAssume = (Resource: string) => policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource });
  const Policy = JSON.stringify(policy({ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }));
  const first = async (permissionPolicy: PolicyDocument, input: Input = {}) => {
    roles.set(ROLE, { trustPolicy: trust(), permissionPolicy });
    return (await assume(input)).keys;
  };
  for (const AWS of [ROLE, ROOT, 'arn:aws:sts::111122223333:assumed-role/Connect/session']) {
    roles.set(SECOND_ROLE, { trustPolicy: trust({ Principal: { AWS } }), permissionPolicy: policy() });
    await assume({ RoleArn: SECOND_ROLE }, await first(mayAssume(SECOND_ROLE)));
  }
  const denied = async (keys: ReturnType<typeof first>) =>
    refused(assume({ RoleArn: SECOND_ROLE }, await keys), 403, 'AccessDenied', /assumed-role\/Connect\/session is not/);
  await denied(first(mayAssume(ROLE)));
  await denied(first(mayAssume('*'), { Policy }));
  roles.set(SECOND_ROLE, { trustPolicy: trust({ Principal: { AWS: `${ROLE}2` } }), permissionPolicy: policy() });
  await denied(first(mayAssume('*')));
});

test('a source identity stays through a chain of roles, and no role changes it', async (t) => {
  const { assume, roles, sts } = await openSandbox(t);
  roles.set(SECOND_ROLE, { trustPolicy: trust({ Principal: { AWS: ROLE } }), permissionPolicy: policy() });
  const { keys } = await assume({ SourceIdentity: 'dana' });
  const second = await assume({ RoleArn: SECOND_ROLE }, keys);
  assert.equal(second.sourceIdentity, 'dana');
  assert.equal(sts.session(second.keys.accessKeyId)?.sourceIdentity, 'dana');
  const changed = assume({ RoleArn: SECOND_ROLE, SourceIdentity: 'other' }, keys);
  await refused(changed, 403, 'AccessDenied', /sts:SetSourceIdentity/);
});

test('transitive tags go on through a chain of roles: each needs sts:TagSession, and none changes them', async (t) => {
  const { assume, roles, sts } = await openSandbox(t);
  const Tags = [
    { Key: 'pod', Value: 'a' },
    { Key: 'own', Value: 'b' },
  ];
  const { keys } = await assume({ Tags, TransitiveTagKeys: ['pod'] });
  const trustFor = (Action: string | string[]) => trust({ Principal: { AWS: ROLE }, Action });
  roles.set(SECOND_ROLE, { trustPolicy: trustFor('sts:AssumeRole'), permissionPolicy: policy() });
  await refused(assume({ RoleArn: SECOND_ROLE }, keys), 403, 'AccessDenied', /sts:TagSession/);
  const trustPolicy = trustFor(['sts:AssumeRole', 'sts:TagSession']);
  roles.set(SECOND_ROLE, { trustPolicy, permissionPolicy: policy() });
  const second = await assume({ RoleArn: SECOND_ROLE, Tags: [{ Key: 'own', Value: 'c' }] }, keys);
  const { tags, transitiveTags } = sts.session(second.keys.accessKeyId) ?? assert.fail();
  assert.deepEqual(Object.fromEntries(tags), { own: 'c', pod: 'a' });
  assert.deepEqual(Object.fromEntries(transitiveTags), { pod: 'a' });
  const changed = assume({ RoleArn: SECOND_ROLE, Tags: [{ Key: 'POD', Value: 'x' }] }, keys);
  await refused(changed, 400, 'InvalidParameterValue', /transitive/);
  const onlyAssume = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' });
  roles.set(ROLE, { trustPolicy: trust(), permissionPolicy: onlyAssume });
  await refused(assume({ RoleArn: SECOND_ROLE }, keys), 403, 'AccessDenied', /sts:TagSession/);
});

test('what the sandbox cannot evaluate is a 500 that says so', async (t) => {
  const { assume, roles } = await openSandbox(t);
  const trustPolicy = trust({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } });
  roles.set(ROLE, { trustPolicy, permissionPolicy: ANYTHING });
  await refused(assume(), 500, 'InternalFailure', /aws:MultiFactorAuthPresent/);
});

const ISSUER = 'https://issuer.example/path';
const PROVIDER_ARN = 'arn:aws:iam::111122223333:oidc-provider/issuer.example/path';
const WEB = { RoleArn: ROLE, RoleSessionName: 'web', WebIdentityToken: 'a.b.c' };
const verifyJwt = async (jwt: string) =>
  jwt === 'a.b.c' ? { provider: ISSUER, subject: 'sa:app', audience: 'sts' } : jwt;
const webTrust = (Federated: string, sub: string, aud: string) =>
  policy({
    Effect: 'Allow',
    Principal: { Federated },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: { 'issuer.example/path:aud': aud },
      StringLike: { 'issuer.example/path:sub': sub },
    },
  });

test('a web identity assumes a role without any keys', async (t) => {
  const { client, roles, sts, whoAmI } = await openSandbox(t, { verifyJwt });
  roles.set(ROLE, { trustPolicy: webTrust(PROVIDER_ARN, 'sa:*', 'sts'), permissionPolicy: ANYTHING });
  const answer = await client().send(new AssumeRoleWithWebIdentityCommand({ ...WEB, DurationSeconds: 900 }));
  assert.deepEqual(
    [answer.SubjectFromWebIdentityToken, answer.Audience, answer.Provider, answer.AssumedRoleUser?.Arn],
    ['sa:app', 'sts', ISSUER, 'arn:aws:sts::111122223333:assumed-role/Connect/web'],
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  assert.equal((await whoAmI(keys)).Arn, answer.AssumedRoleUser?.Arn);
  const { at: _, ...call } = sts.calls[0] ?? assert.fail('no call');
  const parameters = { ...WEB, DurationSeconds: '900' };
  assert.deepEqual(call, { action: 'AssumeRoleWithWebIdentity', parameters, signedBy: null, status: 200 });
});

test('a web identity that the role does not trust is refused', async (t) => {
  const { client, roles } = await openSandbox(t, { verifyJwt });
  const ask = () => client().send(new AssumeRoleWithWebIdentityCommand(WEB));
  const distrusting = [
    webTrust(`${PROVIDER_ARN}2`, 'sa:*', 'sts'),
    webTrust(PROVIDER_ARN, 'sa:web', 'sts'),
    webTrust(PROVIDER_ARN, 'sa:*', 'other'),
    trust({ Principal: { AWS: '*' } }),
    trust({ Principal: { Federated: PROVIDER_ARN }, Action: 'sts:AssumeRole' }),
  ];
  for (const trustPolicy of distrusting) {
    roles.set(ROLE, { trustPolicy, permissionPolicy: ANYTHING });
    await refused(ask(), 403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
  roles.delete(ROLE);
  await refused(ask(), 403, 'AccessDenied');
});

test('a web identity that cannot be verified is refused with the code that says why', async (t) => {
  const known = await openSandbox(t, { verifyJwt });
  const send = (WebIdentityToken: string, sandbox = known) =>
    sandbox.client().send(new AssumeRoleWithWebIdentityCommand({ ...WEB, WebIdentityToken }));
  await refused(send('InvalidIdentityToken'), 400, 'InvalidIdentityTokenException');
  await refused(send('ExpiredTokenException'), 400, 'ExpiredTokenException');
  await refused(send('IDPRejectedClaim'), 403, 'IDPRejectedClaimException');
  await refused(send('IDPCommunicationError'), 400, 'IDPCommunicationErrorException');
  await refused(send('x'), 400, 'ValidationError', /webIdentityToken/);
  await refused(send('x'.repeat(20_001)), 400, 'ValidationError', /20000/);
  await refused(send('a.b.c', await openSandbox(t)), 400, 'InvalidIdentityTokenException');
});
