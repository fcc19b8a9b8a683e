import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/issuance/fault.ts';
import { checkAuthToken } from '../../src/rds/check-auth-token.ts';
import { oracleToken } from '../support/sigv4-oracle.ts';

const NOW = Date.parse('2026-11-24T10:15:00.250Z');
const HOST = 'orders.cluster-abc123.us-west-2.rds.amazonaws.com';

const EXPECTED = {
  host: HOST,
  port: 5432,
  region: 'us-west-2',
  user: 'app_rw',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionToken: 'FwoGZXIvYXdzEXAMPLE//wEaD+a=',
  now: NOW,
};

const TOKEN = oracleToken({ ...EXPECTED, secretAccessKey: 'wJalrXUtnFEMI', date: '20261124T101500Z' });
const SIGNATURE = TOKEN.slice(TOKEN.indexOf('&X-Amz-Signature='));

test('a token that says what was asked passes, and gives its own date', () => {
  assert.equal(checkAuthToken(TOKEN, EXPECTED), Date.parse('2026-11-24T10:15:00Z'));
});

/** One change to a good token, and the field that is named for it. */
const ALTERED: readonly [change: string, from: string, to: string, field: string][] = [
  ['another host', HOST, HOST.replace('orders', 'ledger'), 'host, port and path'],
  ['a host in upper case', HOST, HOST.toUpperCase(), 'host, port and path'],
  ['a longer host', HOST, `${HOST}.example`, 'host, port and path'],
  ['another port', ':5432/', ':5433/', 'host, port and path'],
  ['no port', ':5432/', '/', 'host, port and path'],
  ['another path', ':5432/?', ':5432/x?', 'host, port and path'],
  ['a scheme', HOST, `https://${HOST}`, 'host, port and path'],
  ['another action', 'Action=connect', 'Action=drop', 'Action'],
  ['an action in other letters', 'Action=connect', 'Action=Connect', 'Action'],
  ['no action', 'Action=connect&', '', 'Action'],
  ['another user', 'DBUser=app_rw', 'DBUser=root', 'DBUser'],
  ['a user in other letters', 'DBUser=app_rw', 'DBUser=App_rw', 'DBUser'],
  ['an empty user', 'DBUser=app_rw', 'DBUser=', 'DBUser'],
  ['no user', 'DBUser=app_rw&', '', 'DBUser'],
  ['two users', 'DBUser=app_rw', 'DBUser=app_rw&DBUser=root', 'a repeated parameter'],
  ['the user twice', 'DBUser=app_rw', 'DBUser=app_rw&DBUser=app_rw', 'a repeated parameter'],
  ['a user by another name', 'DBUser=app_rw', 'DbUser=app_rw', 'DBUser'],
  ['another algorithm', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1', 'X-Amz-Algorithm'],
  ['another access key', 'ASIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7ANOTHER', 'X-Amz-Credential'],
  ['another day in the scope', '%2F20261124%2F', '%2F20261125%2F', 'X-Amz-Credential'],
  ['another region', '%2Fus-west-2%2F', '%2Fus-east-1%2F', 'X-Amz-Credential'],
  ['another service', '%2Frds-db%2F', '%2Fsts%2F', 'X-Amz-Credential'],
  ['another end of the scope', 'aws4_request', 'aws5_request', 'X-Amz-Credential'],
  ['six seconds earlier', 'T101500Z', 'T101454Z', 'X-Amz-Date'],
  ['a minute later', 'T101500Z', 'T101600Z', 'X-Amz-Date'],
  ['an impossible date', 'T101500Z', 'T991500Z', 'X-Amz-Date'],
  ['a date without zone', 'T101500Z', 'T101500', 'X-Amz-Date'],
  ['no date', '&X-Amz-Date=20261124T101500Z', '', 'X-Amz-Date'],
  ['a longer life', 'X-Amz-Expires=900', 'X-Amz-Expires=9000', 'X-Amz-Expires'],
  ['a shorter life', 'X-Amz-Expires=900', 'X-Amz-Expires=899', 'X-Amz-Expires'],
  ['no life', '&X-Amz-Expires=900', '', 'X-Amz-Expires'],
  ['another session token', 'FwoGZXIv', 'FwoGZXIx', 'X-Amz-Security-Token'],
  ['another name for the session token', 'X-Amz-Security-Token', 'X-Amz-Security-Tokens', 'X-Amz-Security-Token'],
  ['more signed headers', 'SignedHeaders=host', 'SignedHeaders=host%3Bdate', 'X-Amz-SignedHeaders'],
  ['no signature', SIGNATURE, '', 'X-Amz-Signature'],
  ['an empty signature', SIGNATURE, '&X-Amz-Signature=', 'X-Amz-Signature'],
  ['a short signature', SIGNATURE, SIGNATURE.slice(0, -1), 'X-Amz-Signature'],
  ['a signature in upper case', SIGNATURE, `&X-Amz-Signature=${'A'.repeat(64)}`, 'X-Amz-Signature'],
  ['one more parameter', SIGNATURE, `&Extra=1${SIGNATURE}`, 'a parameter that does not belong'],
  ['a prototype’s name as a parameter', SIGNATURE, `&constructor=1${SIGNATURE}`, 'a parameter that does not belong'],
  ['an empty parameter', SIGNATURE, `&${SIGNATURE}`, 'the form of the parameters'],
  ['a parameter with two =', 'Action=connect', 'Action=connect=x', 'the form of the parameters'],
  ['an encoded name', 'DBUser=', 'DB%55ser=', 'the form of the parameters'],
  ['a plus sign', 'DBUser=app_rw', 'DBUser=app+rw', 'the encoding of the parameters'],
  ['a space', 'DBUser=app_rw', 'DBUser=app rw', 'the encoding of the parameters'],
  ['a line end', SIGNATURE, `${SIGNATURE}\n`, 'the encoding of the parameters'],
  ['an encoding in lower case', '%2Frds-db', '%2frds-db', 'the encoding of the parameters'],
  ['bytes that are not UTF-8', 'DBUser=app_rw', 'DBUser=%FF%FE', 'the encoding of the parameters'],
  ['a cut encoding', 'DBUser=app_rw', 'DBUser=app%2', 'the encoding of the parameters'],
];

for (const [change, from, to, field] of ALTERED) {
  test(`a token with ${change} is dropped, and the fault names the field and no value`, () => {
    const altered = TOKEN.replace(from, () => to);
    assert.notEqual(altered, TOKEN);
    // The whole message is compared, so no value of the token or of what was expected is in it.
    assertDropped(altered, EXPECTED, field);
  });
}

test('a session token where none was used is dropped', () => {
  assertDropped(TOKEN, { ...EXPECTED, sessionToken: null }, 'a parameter that does not belong');
});

test('a token without the session token is dropped', () => {
  const claims = { ...EXPECTED, sessionToken: null, secretAccessKey: 'k', date: '20261124T101500Z' };
  assertDropped(oracleToken(claims), EXPECTED, 'X-Amz-Security-Token');
});

for (const [what, milliseconds] of [
  ['5 s before', -5000],
  ['30 s after', 30_000],
] as const) {
  test(`a date may lie ${what} the request and no further`, () => {
    const second = Date.parse('2026-11-24T10:15:00Z');
    const beyond = second - milliseconds - Math.sign(milliseconds);
    assert.equal(checkAuthToken(TOKEN, { ...EXPECTED, now: second - milliseconds }), second);
    assertDropped(TOKEN, { ...EXPECTED, now: beyond }, 'X-Amz-Date');
  });
}

test('a time that is not a number lets no token pass', () => {
  assertDropped(TOKEN, { ...EXPECTED, now: Number.NaN }, 'X-Amz-Date');
});

function assertDropped(token: string, expected: object, field: string): void {
  assert.throws(
    () => checkAuthToken(token, { ...EXPECTED, ...expected }),
    (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'signing_failed');
      assert.equal(error.message, `the signed token was dropped: not as expected: ${field}`);
      assert.equal(error.cause, undefined);
      return true;
    },
  );
}
