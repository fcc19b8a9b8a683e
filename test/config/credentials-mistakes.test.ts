import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningsOf, withChange } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

const ROLE = 'arn: "arn:aws:iam::123456789012:role/a"';

/** A mistake in the role of the database, or in its web identity. */
function of(key: 'role' | 'webIdentity', what: string, settings: string, problem: string): Mistake {
  return [what, '    engine: postgres', `    ${key}: { ${settings} }\n    engine: postgres`, problem];
}

const mistakes: readonly Mistake[] = [
  of(
    'role',
    'an STS region of another partition',
    `${ROLE}, stsRegion: cn-north-1`,
    '12:65: databases.orders.role.stsRegion is cn-north-1, of another partition than the database in us-west-2. Write a region of the same partition, or leave the key out.',
  ),
  of(
    'webIdentity',
    'an STS region of another partition, of a role that JWTs assume',
    `${ROLE}, issuers: [cluster], stsRegion: us-gov-west-1`,
    '12:92: databases.orders.webIdentity.stsRegion is us-gov-west-1, of another partition than the database in us-west-2. Write a region of the same partition, or leave the key out.',
  ),
  of(
    'role',
    'a scope that is none',
    `${ROLE}, scope: everyone`,
    '12:61: databases.orders.role.scope cannot be "everyone". Write one of: shared, perUser, perCaller.',
  ),
  of(
    'role',
    'an external id with a space',
    `${ROLE}, externalId: "a b"`,
    '12:66: databases.orders.role.externalId cannot be "a b". Write 2 to 1224 letters, digits and characters of _+=,.@:/-.',
  ),
  of(
    'role',
    'a source identity beside perCaller',
    `${ROLE}, scope: perCaller, sourceIdentity: vendor`,
    '12:88: databases.orders.role.sourceIdentity is the same for every caller. Remove it: with perCaller the source identity is the caller.',
  ),
  of(
    'role',
    'warm beside perCaller',
    `${ROLE}, scope: perCaller, warm: true`,
    '12:78: databases.orders.role.warm is set, but there is no caller at the start. Remove it: with perCaller a session begins with its caller.',
  ),
  of(
    'role',
    'more than an hour by way of another role',
    `${ROLE}, sessionDuration: 2h, via: [{ ${ROLE} }]`,
    '12:71: databases.orders.role.sessionDuration is too long for role chaining. Write at most 1h: AWS allows no more to a role that another role assumes.',
  ),
  of(
    'role',
    'no role on the way',
    `${ROLE}, via: []`,
    '12:59: databases.orders.role.via is empty. List at least one role, or leave the key out.',
  ),
  of(
    'role',
    'a tag that is ours',
    `${ROLE}, tags: { rtv-user: x }`,
    "12:62: databases.orders.role.tags.rtv-user is not a name that can be used here. Write a key of at most 128 letters, digits and characters of _.:/=+-@, that does not begin with 'aws:' or 'rtv-'.",
  ),
  of(
    'role',
    'a tag that is AWS’s',
    `${ROLE}, tags: { "aws:x": x }`,
    `12:62: databases.orders.role.tags["aws:x"] is not a name that can be used here. Write a key of at most 128 letters, digits and characters of _.:/=+-@, that does not begin with 'aws:' or 'rtv-'.`,
  ),
  of(
    'role',
    'two tags that differ in capitals',
    `${ROLE}, tags: { Team: a, team: b }`,
    '12:60: databases.orders.role.tags cannot be a map like this. Write each key once: AWS does not tell capitals apart.',
  ),
  of(
    'role',
    'a role on the way of another partition',
    `${ROLE}, via: [{ arn: "arn:aws-us-gov:iam::123456789012:role/h" }]`,
    '12:67: databases.orders.role.via[0].arn is of another partition than the database in us-west-2. Write a role whose ARN begins with arn:aws:.',
  ),
  of(
    'role',
    'a region of STS that is none',
    `${ROLE}, stsRegion: here`,
    '12:65: databases.orders.role.stsRegion cannot be "here". Write an AWS region, such as us-west-2.',
  ),
  of(
    'webIdentity',
    'no issuer',
    `${ROLE}, issuers: []`,
    '12:70: databases.orders.webIdentity.issuers is empty. List at least one issuer whose JWTs may be sent to STS.',
  ),
  of(
    'webIdentity',
    'an issuer that is none',
    `${ROLE}, issuers: [cluster, others]`,
    '12:80: databases.orders.webIdentity.issuers[1] names others, which is no issuer. Write one of: cluster, corp.',
  ),
  of(
    'webIdentity',
    'tags, which the JWT has',
    `${ROLE}, issuers: [cluster], tags: { a: b }`,
    '12:81: databases.orders.webIdentity.tags is not a known key. Remove it, or write one of: arn, issuers, scope, sessionDuration, stsRegion.',
  ),
];

testMistakes(mistakes);

test('an issuer that IAM cannot know is a warning, where its JWTs are to assume a role', () => {
  const text = withChange(
    '    engine: postgres',
    `    webIdentity: { ${ROLE}, issuers: [cluster] }\n    engine: postgres`,
  );
  assert.deepEqual(warningsOf(text), []);
  assert.deepEqual(warningsOf(text.replace('https://idp.example', 'http://localhost:8081')), [
    '12:71: databases.orders.webIdentity.issuers[0] is cluster, whose address is not HTTPS, so that IAM cannot know it. Use role instead, or an issuer that AWS can reach.',
  ]);
});
