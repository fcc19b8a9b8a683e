import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Signer } from '@aws-sdk/rds-signer';
import { type IamDatabase, whyTokenRefused } from '../../demo/sandbox-database/check-iam-token.ts';
import type { PolicyDocument } from '../../demo/sandbox-sts/policy.ts';
import type { SandboxSession } from '../../demo/sandbox-sts/session.ts';
import { ACCESS_KEY_ID, RDS_ENDPOINT, SECRET_ACCESS_KEY } from '../../demo/settings.ts';
import { openSandbox, ROLE, trust } from './sts-fixture.ts';

const database = { ...RDS_ENDPOINT, secretAccessKeys: new Map([[ACCESS_KEY_ID, SECRET_ACCESS_KEY]]) };

type Change = {
  readonly hostname?: string;
  readonly port?: number;
  readonly region?: string;
  readonly secret?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
};

/** A token by AWS's own library, and the instant it was signed at. */
async function sign(username: string, change: Change = {}): Promise<{ token: string; at: number }> {
  const { hostname = RDS_ENDPOINT.host, port = 5432, region = 'us-west-2', secret = SECRET_ACCESS_KEY } = change;
  const { credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secret } } = change;
  const token = await new Signer({ hostname, port, region, username, credentials }).getAuthToken();
  const [, date = ''] = /X-Amz-Date=(\w+)/.exec(token) ?? [];
  const at = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return { token, at };
}

test("a token of AWS's own library lets its user in for 900 s and not a millisecond longer", async () => {
  for (const user of ['app_rw', "o'brien", 'a b+c%d&e=f?g', 'jörg', '🙂']) {
    const { token, at } = await sign(user);
    assert.equal(whyTokenRefused(token, user, database, at), undefined);
    assert.equal(whyTokenRefused(token, user, database, at + 899_999), undefined);
    assert.equal(whyTokenRefused(token, user, database, at + 900_000), 'it has expired');
    assert.equal(whyTokenRefused(token, user, database, at - 300_001), 'it is from the future');
  }
});

const OTHERS: readonly [what: string, change: Change, why: RegExp][] = [
  ['another host', { hostname: 'other.cluster-demo123.us-west-2.rds.amazonaws.com' }, /another host or port/],
  ['another port', { port: 5433 }, /another host or port/],
  ['another region', { region: 'us-east-1' }, /scope/],
  ['another secret key', { secret: 'x' }, /signature is wrong/],
];
for (const [what, change, why] of OTHERS) {
  test(`a token for ${what} is refused`, async () => {
    const { token, at } = await sign('app_rw', change);
    assert.match(whyTokenRefused(token, 'app_rw', database, at) ?? '', why);
  });
}

test('no character of a token can be changed, and nothing can be added, repeated or left out', async () => {
  const { token, at } = await sign('app_rw');
  const refused = (changed: string): void =>
    assert.ok(whyTokenRefused(changed, 'app_rw', database, at) !== undefined, changed);
  for (let index = 0; index < token.length; index++) {
    const other = token[index] === '0' ? '1' : '0';
    refused(token.slice(0, index) + other + token.slice(index + 1));
  }
  const parameters = token.slice(token.indexOf('?') + 1).split('&');
  for (const parameter of parameters) {
    refused(`${token}&${parameter}`);
    refused(token.replace(parameter, '').replace('&&', '&'));
  }
  for (const text of [
    '',
    token.slice(0, -1),
    `${token}x`,
    `${token}&X=1`,
    ` ${token}`,
    `https://${token}`,
    'password',
  ]) {
    refused(text);
  }
});

const RESOURCE = 'arn:aws:rds-db:us-west-2:111122223333:dbuser:cluster-A';
const connectAs = (Resource: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource },
});

/** A session of a role that may connect as `app_*`, by its own policy as app_rw only. */
const SESSION: SandboxSession = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'temporary/secret',
  sessionToken: `${'FwoGZXIvYXdzE+/'.repeat(60)}==`,
  expiresAt: Date.now() + 3_600_000,
  roleArn: 'arn:aws:iam::111122223333:role/Connect',
  assumedRoleArn: 'arn:aws:sts::111122223333:assumed-role/Connect/s',
  sessionName: 's',
  sessionPolicy: connectAs(`${RESOURCE}/app_rw`),
  permissionPolicy: connectAs(`${RESOURCE}/app_*`),
  sourceIdentity: null,
  tags: new Map(),
  transitiveTags: new Map(),
};

function databaseWith(session: SandboxSession): IamDatabase {
  const find = (accessKeyId: string) => (accessKeyId === session.accessKeyId ? session : undefined);
  return { ...database, accountId: '111122223333', resourceId: 'cluster-A', session: find };
}

/** A token that the session's keys signed, with its security token or another. */
async function signInSession(
  username: string,
  sessionToken = SESSION.sessionToken,
): Promise<{ token: string; at: number }> {
  const { accessKeyId, secretAccessKey } = SESSION;
  return sign(username, { credentials: { accessKeyId, secretAccessKey, sessionToken } });
}

test('a token of a scoped session lets its one user in and no other', async () => {
  const { token, at } = await signInSession('app_rw');
  assert.equal(whyTokenRefused(token, 'app_rw', databaseWith(SESSION), at), undefined);
  assert.equal(whyTokenRefused(token, 'app_ro', databaseWith(SESSION), at), 'it is for another user');
  const other = await signInSession('app_ro');
  const why = whyTokenRefused(other.token, 'app_ro', databaseWith(SESSION), other.at);
  assert.equal(why, 'the policies of its session do not allow this user');
  assert.equal(
    whyTokenRefused(other.token, 'app_ro', databaseWith({ ...SESSION, sessionPolicy: null }), other.at),
    undefined,
  );
});

test("a session policy gives nothing that its role's policy does not", async () => {
  const { token, at } = await signInSession('admin');
  const wide = { ...SESSION, sessionPolicy: connectAs('*') };
  assert.match(whyTokenRefused(token, 'admin', databaseWith(wide), at) ?? '', /policies of its session/);
  const both = { ...wide, permissionPolicy: connectAs(`${RESOURCE}/admin`) };
  assert.equal(whyTokenRefused(token, 'admin', databaseWith(both), at), undefined);
});

test('a session may connect to the database of its policies only', async () => {
  const { token, at } = await signInSession('app_rw');
  const refused = (change: Partial<IamDatabase>, roleArn = SESSION.roleArn) =>
    whyTokenRefused(token, 'app_rw', { ...databaseWith({ ...SESSION, roleArn }), ...change }, at);
  assert.match(refused({ resourceId: 'cluster-B' }) ?? '', /policies of its session/);
  assert.match(refused({ accountId: '999900001111' }) ?? '', /policies of its session/);
  assert.match(refused({}, 'arn:aws-cn:iam::111122223333:role/Connect') ?? '', /policies of its session/);
  const { accountId: _, ...nowhere } = databaseWith(SESSION);
  assert.equal(whyTokenRefused(token, 'app_rw', nowhere, at), 'the database does not know its account and id');
});

test('a token ends with the session whose keys signed it', async () => {
  const { token, at } = await signInSession('app_rw');
  const short = databaseWith({ ...SESSION, expiresAt: at + 60_000 });
  assert.equal(whyTokenRefused(token, 'app_rw', short, at + 59_999), undefined);
  assert.equal(whyTokenRefused(token, 'app_rw', short, at + 60_000), 'its session has expired');
});

test("a token needs exactly its session's security token, and it is part of what is signed", async () => {
  const other = await signInSession('app_rw', 'another');
  assert.equal(
    whyTokenRefused(other.token, 'app_rw', databaseWith(SESSION), other.at),
    'its security token is another',
  );
  const { accessKeyId, secretAccessKey } = SESSION;
  const none = await sign('app_rw', { credentials: { accessKeyId, secretAccessKey } });
  assert.equal(whyTokenRefused(none.token, 'app_rw', databaseWith(SESSION), none.at), 'its security token is missing');
  const added = `${none.token}&X-Amz-Security-Token=${encodeURIComponent(SESSION.sessionToken)}`;
  assert.equal(whyTokenRefused(added, 'app_rw', databaseWith(SESSION), none.at), 'its signature is wrong');
});

test('a token of long-lived keys has no security token', async () => {
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY, sessionToken: 'x' };
  const { token, at } = await sign('app_rw', { credentials });
  for (const known of [database, databaseWith(SESSION)]) {
    assert.equal(whyTokenRefused(token, 'app_rw', known, at), 'its access key has no security token');
  }
});

test('a token of temporary keys that AWS does not know, or that another secret signed, is refused', async () => {
  const { token, at } = await signInSession('app_rw');
  assert.equal(whyTokenRefused(token, 'app_rw', database, at), 'its access key is unknown');
  const changed = databaseWith({ ...SESSION, secretAccessKey: 'another' });
  assert.equal(whyTokenRefused(token, 'app_rw', changed, at), 'its signature is wrong');
});

test("a session that the sandbox's STS gave is one that the database knows", async (t) => {
  const { sts, roles, assume } = await openSandbox(t);
  roles.set(ROLE, { trustPolicy: trust(), permissionPolicy: SESSION.permissionPolicy });
  const { keys } = await assume({ Policy: JSON.stringify(SESSION.sessionPolicy) });
  const known: IamDatabase = { ...databaseWith(SESSION), session: sts.session };
  const allowed = await sign('app_rw', { credentials: keys });
  assert.equal(whyTokenRefused(allowed.token, 'app_rw', known, allowed.at), undefined);
  const other = await sign('app_ro', { credentials: keys });
  assert.match(whyTokenRefused(other.token, 'app_ro', known, other.at) ?? '', /policies of its session/);
});
