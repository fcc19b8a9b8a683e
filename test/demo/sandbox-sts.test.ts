import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { ANYTHING, openSandbox, policy, ROLE, refused, SECOND_ROLE, trust, USER } from './sts-fixture.ts';

const SESSION_POLICY = JSON.stringify(policy({ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }));

test('a user assumes a role: an hour to a whole second, with keys of the form that AWS gives', async (t) => {
  const { sts, assume } = await openSandbox(t);
  const before = Date.now();
  const { keys, credentials, arn, id, packed, sourceIdentity } = await assume();
  assert.match(keys.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  assert.equal(keys.secretAccessKey.length, 40);
  assert.equal(Buffer.from(keys.sessionToken, 'base64').length, 400);
  assert.equal(arn, 'arn:aws:sts::111122223333:assumed-role/Connect/session');
  assert.match(id ?? '', /^AROA[A-Z2-7]{17}:session$/);
  assert.deepEqual([packed, sourceIdentity], [undefined, undefined]);
  const expiresAt = credentials.Expiration?.getTime() ?? 0;
  assert.equal(expiresAt % 1000, 0);
  assert.ok(expiresAt > before + 3_599_000 - 1 && expiresAt <= Date.now() + 3_600_000, String(expiresAt - before));

  const session = sts.session(keys.accessKeyId);
  assert.deepEqual(session && { ...session, ...keys }, session);
  assert.equal(session?.expiresAt, expiresAt);
  assert.deepEqual([session.roleArn, session.assumedRoleArn, session.sessionName], [ROLE, arn, 'session']);
  assert.deepEqual([session.sessionPolicy, session.permissionPolicy], [null, ANYTHING]);
  assert.deepEqual([session.sourceIdentity, session.tags.size], [null, 0]);
  assert.equal(sts.session('ASIAUNKNOWN'), undefined);
});

test('a session keeps its policy, tags and source identity, and its token grows with them', async (t) => {
  const { sts, assume } = await openSandbox(t);
  const Tags = [
    { Key: 'team', Value: 'payments & "co" @é' },
    { Key: 'empty', Value: '' },
  ];
  await refused(assume({ Tags }), 400, 'ValidationError', /tags\.1\.member\.value/);
  Tags[0] = { Key: 'team', Value: 'payments @é' };
  const input = { Policy: SESSION_POLICY, Tags, SourceIdentity: 'dana@corp', DurationSeconds: 900 };
  const { keys, packed, sourceIdentity, credentials } = await assume(input);
  assert.equal(sourceIdentity, 'dana@corp');
  const length = SESSION_POLICY.length + 'teampayments @éempty'.length;
  assert.equal(packed, Math.ceil((length / 4096) * 100));
  assert.equal(Buffer.from(keys.sessionToken, 'base64').length, 400 + length);
  const session = sts.session(keys.accessKeyId);
  assert.deepEqual(session?.sessionPolicy, JSON.parse(SESSION_POLICY));
  assert.deepEqual(
    [...(session?.tags ?? [])],
    Tags.map(({ Key, Value }) => [Key, Value]),
  );
  assert.equal(session?.sourceIdentity, 'dana@corp');
  const seconds = ((credentials.Expiration?.getTime() ?? 0) - Date.now()) / 1000;
  assert.ok(seconds > 890 && seconds <= 900, String(seconds));
});

for (const partition of ['aws-cn', 'aws-us-gov']) {
  test(`ARNs of sessions are of the partition of their role: ${partition}`, async (t) => {
    const { assume, roles, whoAmI } = await openSandbox(t);
    const RoleArn = `arn:${partition}:iam::111122223333:role/R`;
    roles.set(RoleArn, { trustPolicy: trust(), permissionPolicy: ANYTHING });
    const { arn, keys } = await assume({ RoleArn });
    assert.equal(arn, `arn:${partition}:sts::111122223333:assumed-role/R/session`);
    assert.equal((await whoAmI(keys)).Arn, arn);
  });
}

test('users and sessions can ask who they are', async (t) => {
  const { assume, whoAmI } = await openSandbox(t);
  const user = await whoAmI(USER);
  assert.deepEqual([user.Account, user.Arn], ['111122223333', USER.arn]);
  assert.match(user.UserId ?? '', /^AIDA[A-Z2-7]{17}$/);
  const { keys, arn, id } = await assume();
  const session = await whoAmI(keys);
  assert.deepEqual([session.Account, session.Arn, session.UserId], ['111122223333', arn, id]);
});

test('a change of a role holds for the sessions that it has', async (t) => {
  const { assume, roles, sts } = await openSandbox(t);
  const { keys } = await assume();
  roles.set(ROLE, { trustPolicy: trust(), permissionPolicy: policy() });
  assert.deepEqual(sts.session(keys.accessKeyId)?.permissionPolicy, policy());
  roles.delete(ROLE);
  assert.deepEqual(sts.session(keys.accessKeyId)?.permissionPolicy.Statement, []);
  await refused(assume(), 403, 'AccessDenied');
});

const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' };
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const tag = (Key: string, Value: string) => ({ Tags: [{ Key, Value }] });
const tags = (count: number, size: number) => ({
  Tags: Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: 'v'.repeat(size) })),
});
const BAD: readonly [input: Partial<AssumeRoleCommandInput>, message: RegExp, name?: string][] = [
  [{ DurationSeconds: 899 }, /'899' at 'durationSeconds'.*greater than or equal to 900/],
  [{ DurationSeconds: 43_201 }, /less than or equal to 43200/],
  [{ DurationSeconds: -1 }, /greater than or equal to 900/],
  [{ RoleSessionName: 'a' }, /'roleSessionName'.*length greater than or equal to 2/],
  [{ RoleSessionName: 'a'.repeat(65) }, /length less than or equal to 64/],
  [{ RoleSessionName: 'a b' }, /regular expression pattern: \[\\w\+=,\.@-\]\*/],
  [{ RoleSessionName: 'jörg' }, /regular expression/],
  [{ RoleSessionName: 'a\u0000<b' }, /'a\uFFFD<b' at 'roleSessionName'/],
  [{ SourceIdentity: 'a' }, /'sourceIdentity'/],
  [{ SourceIdentity: 'a:b' }, /'sourceIdentity'.*regular expression/],
  [{ ExternalId: 'a' }, /'externalId'/],
  [{ ExternalId: 'a'.repeat(1225) }, /less than or equal to 1224/],
  [{ ExternalId: 'a b' }, /'externalId'.*regular expression/],
  [{ RoleArn: 'short' }, /'roleArn'/],
  [{ RoleArn: 'arn:aws:iam::111122223333:user/service' }, /is invalid/],
  [{ RoleArn: 'arn:aws:iam::1111:role/TooShortAccount' }, /is invalid/],
  [{ Policy: '' }, /'policy'/],
  [{ Policy: SESSION_POLICY.padEnd(2049) }, /'policy'.*less than or equal to 2048/],
  [{ Policy: SESSION_POLICY.replace('*', '🙂') }, /'policy'.*regular expression/],
  [{ Policy: '{' }, /JSON/, 'MalformedPolicyDocumentException'],
  [{ Policy: '[]' }, /Syntax/, 'MalformedPolicyDocumentException'],
  [{ Policy: '{"Version":"2012-10-17"}' }, /Syntax/, 'MalformedPolicyDocumentException'],
  [{ Policy: '{"Version":"2012-10-17","Statement":[]}' }, /Syntax/, 'MalformedPolicyDocumentException'],
  [{ Policy: JSON.stringify({ Statement: statement }) }, /version/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Effect: 'allow' }) }, /Syntax/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Extra: 1 }) }, /Syntax/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Principal: '*' }) }, /principal/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Action: 'connect' }) }, /vendor/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Action: [] }) }, /actions/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ ...statement, Resource: 'dbuser' }) }, /ARN format/, 'MalformedPolicyDocumentException'],
  [{ Policy: document({ Effect: 'Allow', Action: '*' }) }, /resources/, 'MalformedPolicyDocumentException'],
  [tags(51, 1), /'tags'.*less than or equal to 50/],
  [tag('', 'v'), /tags\.1\.member\.key.*greater than or equal to 1/],
  [tag('k'.repeat(129), 'v'), /less than or equal to 128/],
  [tag('k', 'v'.repeat(257)), /less than or equal to 256/],
  [tag('k', '*'), /tags\.1\.member\.value.*regular expression/],
  [tag('aws:k', 'v'), /reserved/],
  [{ Tags: [{ Key: 'k', Value: undefined }] }, /tags\.1\.member\.value.*must not be null/],
  [{ Tags: [...tag('k', 'v').Tags, ...tag('K', 'v').Tags] }, /Duplicate tag keys/, 'InvalidParameterValue'],
  [tags(20, 256), /consumes 1\d\d%/, 'PackedPolicyTooLargeException'],
  [{ SerialNumber: 'arn:aws:iam::111122223333:mfa/x' }, /SerialNumber is not recognized/],
  [{ PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }] }, /PolicyArns\.member\.1\.arn/],
];
test('STS refuses each parameter that is not as documented', async (t) => {
  const { assume, sts } = await openSandbox(t);
  for (const [input, message, name = 'ValidationError'] of BAD) await refused(assume(input), 400, name, message);
  assert.deepEqual(new Set(sts.calls.map(({ status }) => status)), new Set([400]));
});

const GOOD: readonly Partial<AssumeRoleCommandInput>[] = [
  { DurationSeconds: 900 },
  { DurationSeconds: 43_200 },
  { RoleSessionName: 'ab' },
  { RoleSessionName: 'A_z0+=,.@-'.padEnd(64, 'x') },
  { ExternalId: 'a:/b' },
  { Tags: [] },
  tag('k'.repeat(128), 'v'.repeat(256)),
  tags(50, 10),
  tag('jörg: a/b=c+d-e@f_g.h', ''),
  { Policy: SESSION_POLICY.padEnd(2048) },
  { Policy: document(statement, { ...statement, Resource: ['arn:aws:rds-db:*:*:dbuser:*/ÿ'] }) },
];
test('STS takes each parameter up to its limits', async (t) => {
  const { assume } = await openSandbox(t);
  for (const input of GOOD) await assert.doesNotReject(assume(input), JSON.stringify(input));
});

test("a session is no longer than its role's maximum, nor than an hour when a session asks", async (t) => {
  const { assume, roles } = await openSandbox(t);
  roles.set(ROLE, { trustPolicy: trust(), permissionPolicy: ANYTHING, maxSessionSeconds: 7200 });
  await refused(assume({ DurationSeconds: 7201 }), 400, 'ValidationError', /MaxSessionDuration set for this role/);
  const { keys } = await assume({ DurationSeconds: 7200 });
  const trustPolicy = trust({ Principal: { AWS: ROLE } });
  roles.set(SECOND_ROLE, { trustPolicy, permissionPolicy: ANYTHING });
  const second = (DurationSeconds: number) => assume({ RoleArn: SECOND_ROLE, DurationSeconds }, keys);
  await refused(second(3601), 400, 'ValidationError', /1 hour session limit for roles assumed by role chaining/);
  assert.equal((await second(3600)).arn, 'arn:aws:sts::444455556666:assumed-role/Second/session');
});
