import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Signer } from '@aws-sdk/rds-signer';
import { whyTokenRefused } from '../../demo/sandbox-database/check-iam-token.ts';
import { ACCESS_KEY_ID, RDS_ENDPOINT, SECRET_ACCESS_KEY } from '../../demo/settings.ts';

const database = { ...RDS_ENDPOINT, secretAccessKeys: new Map([[ACCESS_KEY_ID, SECRET_ACCESS_KEY]]) };

type Change = {
  readonly hostname?: string;
  readonly port?: number;
  readonly region?: string;
  readonly secret?: string;
};

/** A token by AWS's own library, and the instant it was signed at. */
async function sign(username: string, change: Change = {}): Promise<{ token: string; at: number }> {
  const { hostname = RDS_ENDPOINT.host, port = 5432, region = 'us-west-2', secret = SECRET_ACCESS_KEY } = change;
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secret };
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
