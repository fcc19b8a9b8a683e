import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literalResource, MOST_POLICY_CHARACTERS, sessionPolicy } from '../../src/aws/session-policy.ts';
import { databaseUserArn } from '../../src/issuance/database.ts';
import { database } from '../support/catalog.ts';

test('the policy names one database user, byte for byte', () => {
  assert.equal(
    sessionPolicy(databaseUserArn(database(), 'app_rw')),
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rds-db:connect","Resource":"arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/app_rw"}]}',
  );
});

test('wildcards and policy variables in a name mean themselves', () => {
  assert.equal(literalResource('a?b*c${aws:username}'), 'a${?}b${*}c${$}{aws:username}');
});

test('the longest names of the longest ARNs fit, in characters that STS takes', () => {
  const long = database({ region: 'us-gov-northwest-10', resourceId: `cluster-${'A'.repeat(32)}` });
  for (const user of [
    'u'.repeat(63),
    '?'.repeat(320),
    '$'.repeat(63),
    '"'.repeat(320),
    'é'.repeat(160),
    '🙂'.repeat(80),
  ]) {
    const policy = sessionPolicy(databaseUserArn(long, user));
    assert.ok(policy.length <= MOST_POLICY_CHARACTERS, `${policy.length}`);
    assert.match(policy, /^[\x20-\xff]+$/);
    assert.equal(JSON.parse(policy).Statement[0].Resource, literalResource(databaseUserArn(long, user)));
  }
});
