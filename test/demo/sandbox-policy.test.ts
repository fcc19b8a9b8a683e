import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows, type PolicyDocument, type PolicyStatement } from '../../demo/sandbox-sts/policy.ts';
import { untrustedAction } from '../../demo/sandbox-sts/trust-policy.ts';

const CONNECT = 'rds-db:connect';
const USERS = 'arn:aws:rds-db:us-west-2:111122223333:dbuser:cluster-A';

function policy(...Statement: PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement };
}

function allow(Resource: string | string[], Action: string | string[] = CONNECT): PolicyStatement {
  return { Effect: 'Allow', Action, Resource };
}

const RESOURCES: readonly [pattern: string, resource: string, fits: boolean][] = [
  [`${USERS}/app`, `${USERS}/app`, true],
  [`${USERS}/app`, `${USERS}/App`, false],
  [`${USERS}/app`, `${USERS}/apps`, false],
  [`${USERS}/app*`, `${USERS}/app`, true],
  [`${USERS}/a*p*s`, `${USERS}/appaps`, true],
  [`${USERS}/a*p*s`, `${USERS}/appap`, false],
  [`${USERS}/a?p`, `${USERS}/app`, true],
  [`${USERS}/a?p`, `${USERS}/ap`, false],
  [`${USERS}/?`, `${USERS}/🙂`, true],
  [`${USERS}/$\{*}`, `${USERS}/*`, true],
  [`${USERS}/$\{*}`, `${USERS}/app`, false],
  [`${USERS}/a$\{?}p`, `${USERS}/a?p`, true],
  [`${USERS}/a$\{?}p`, `${USERS}/app`, false],
  [`${USERS}/$\{$}{*}`, `${USERS}/$\{x}`, true],
  [`${USERS}/$\{$}`, `${USERS}/$`, true],
  [`${USERS}/a$b`, `${USERS}/a$b`, true],
  [`${USERS}/a.p`, `${USERS}/app`, false],
  ['*', `${USERS}/app`, true],
  ['arn:aws:rds-db:*:*:dbuser:*/app', `${USERS}/app`, true],
  ['arn:aws:rds-db:*:dbuser:cluster-A/app', `${USERS}/app`, false],
  ['arn:aws:rds-db', `${USERS}/app`, true],
  ['arn:aws:s3', `${USERS}/app`, false],
  ['arn:aws-cn:rds-db:us-west-2:111122223333:dbuser:cluster-A/app', `${USERS}/app`, false],
  ['', `${USERS}/app`, false],
];
for (const [pattern, resource, fits] of RESOURCES) {
  test(`the resource ${pattern || '""'} is ${fits ? '' : 'not '}${resource}`, () => {
    assert.equal(allows(policy(allow(pattern)), CONNECT, resource), fits);
    assert.equal(allows(policy(allow(['arn:aws:s3:::x', pattern])), CONNECT, resource), fits);
  });
}

const ACTIONS: readonly [pattern: string | string[], allowed: boolean][] = [
  ['rds-db:connect', true],
  ['RDS-DB:Connect', true],
  ['rds-db:*', true],
  ['rds-db:c?nnect', true],
  ['*', true],
  [['s3:GetObject', 'rds-db:connect'], true],
  ['rds:connect', false],
  ['rds-db:connec', false],
  ['rds-db:${*}', false],
  [[], false],
];
for (const [action, allowed] of ACTIONS) {
  test(`the action ${JSON.stringify(action)} ${allowed ? 'allows' : 'does not allow'} rds-db:connect`, () => {
    assert.equal(allows(policy(allow('*', action)), CONNECT, `${USERS}/app`), allowed);
  });
}

test('a denial wins, wherever it stands, and what no statement allows is denied', () => {
  const deny: PolicyStatement = { Effect: 'Deny', Action: 'rds-db:*', Resource: `${USERS}/admin` };
  for (const document of [policy(allow('*'), deny), policy(deny, allow('*'))]) {
    assert.equal(allows(document, CONNECT, `${USERS}/admin`), false);
    assert.equal(allows(document, CONNECT, `${USERS}/app`), true);
  }
  assert.equal(allows(policy(), CONNECT, `${USERS}/app`), false);
  assert.equal(allows(policy(deny), CONNECT, `${USERS}/app`), false);
  assert.equal(allows({ Version: '2012-10-17', Statement: allow('*') }, CONNECT, `${USERS}/app`), true);
});

test('in a policy of the version of 2008 there are no variables', () => {
  const old: PolicyDocument = { Version: '2008-10-17', Statement: allow(`${USERS}/$\{*}`) };
  assert.equal(allows(old, CONNECT, `${USERS}/*`), false);
  assert.equal(allows(old, CONNECT, `${USERS}/$\{x}`), true);
});

test('what the sandbox does not evaluate is an error, neither allowed nor denied', () => {
  const condition: PolicyStatement = { ...allow('*'), Condition: { StringEquals: { 'aws:x': 'y' } } };
  assert.throws(() => allows(policy(condition), CONNECT, USERS), /does not evaluate Condition/);
  assert.throws(
    () => allows(policy(allow(`${USERS}/$\{aws:username}`)), CONNECT, USERS),
    /variable \$\{aws:username\}/,
  );
});

const TRUSTED = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:*' } as const;
const CONDITIONS: readonly [operator: string, key: string, value: string | string[], holds: boolean][] = [
  ['StringEquals', 'sts:ExternalId', 'one', true],
  ['StringEquals', 'STS:externalid', 'one', true],
  ['StringEquals', 'sts:ExternalId', 'One', false],
  ['StringEquals', 'sts:ExternalId', ['two', 'one'], true],
  ['StringEquals', 'sts:ExternalId', 'o*', false],
  ['StringLike', 'sts:ExternalId', 'o*', true],
  ['StringLike', 'sts:ExternalId', '${*}', false],
  ['StringEquals', 'aws:RequestTag/Team', 'red', true],
  ['StringEquals', 'aws:RequestTag/Other', 'red', false],
  ['StringLike', 'sts:SourceIdentity', '*', false],
];
for (const [operator, key, value, holds] of CONDITIONS) {
  test(`${operator} of ${key} with ${JSON.stringify(value)} ${holds ? 'holds' : 'does not hold'}`, () => {
    const context = new Map([
      ['sts:externalid', 'one'],
      ['aws:requesttag/team', 'red'],
    ]);
    const request = { kind: 'AWS', names: [TRUSTED.Principal.AWS], context } as const;
    const document = policy({ ...TRUSTED, Condition: { [operator]: { [key]: value } } });
    assert.equal(untrustedAction(document, ['sts:AssumeRole'], request) === undefined, holds);
  });
}

test('a condition that the sandbox does not know is an error', () => {
  const request = { kind: 'AWS', names: [TRUSTED.Principal.AWS], context: new Map() } as const;
  const ask = (Condition: PolicyStatement['Condition']) => () =>
    untrustedAction(policy({ ...TRUSTED, ...(Condition && { Condition }) }), ['sts:AssumeRole'], request);
  assert.throws(ask({ StringNotEquals: { 'sts:ExternalId': 'x' } }), /operator StringNotEquals/);
  assert.throws(ask({ StringEquals: { 'aws:PrincipalOrgID': 'x' } }), /key aws:PrincipalOrgID/);
  assert.equal(ask(undefined)(), undefined);
});
