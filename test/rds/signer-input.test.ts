import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignAuthToken } from '../../src/issuance/auth-token.ts';
import { createAuthTokenSigner } from '../../src/rds/sign-auth-token.ts';
import { endpointAt } from '../support/odd-signer-inputs.ts';

const HOST = 'orders.cluster-abc123.us-west-2.rds.amazonaws.com';

function validInput(): Parameters<SignAuthToken>[0] {
  return {
    endpoint: endpointAt(HOST, 5432),
    region: 'us-west-2',
    user: 'app_rw',
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI',
      sessionToken: null,
      expiresAt: null,
    },
    now: Date.now(),
  };
}

const NOT_TEXT = [undefined, null, 1, true, {}, ['app_rw'], ['app_rw', 'root'], new Date(0), () => 'app_rw'];
const USER = 'nothing was signed: the user ';
const HOST_RULE = 'nothing was signed: the host ';

/** Values of one field and the rule each breaks. The types forbid some of them; callers in plain JavaScript do not. */
const BROKEN: readonly [field: string, message: string, values: readonly unknown[]][] = [
  ['user', `${USER}is not text`, NOT_TEXT],
  ['user', `${USER}is empty`, ['']],
  [
    'user',
    `${USER}holds a control character or a line break`,
    ['a\0', '\0', 'a\nb', 'a\r', 'a\tb', '\u001b[31m', '\u007f', '\u0085', 'a\u2028b', '\u2029'],
  ],
  ['user', `${USER}is not well-formed Unicode`, ['\ud800', 'a\udc00', '\ude00\ud83d', '😀'.slice(0, 1)]],
  ['user', `${USER}is longer than 320 bytes`, ['a'.repeat(321), 'é'.repeat(161), '😀'.repeat(81), 'a'.repeat(1e6)]],
  ['host', `${HOST_RULE}is not text`, NOT_TEXT],
  [
    'host',
    `${HOST_RULE}is not a DNS name`,
    [
      ...['', ' ', '.', 'a.', '.a', 'a..b', '-a', 'a-', `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}aa`],
      ...[`${HOST}?Action=x`, `${HOST}/?x`, `${HOST}#x`, `${HOST}:5432`, `user@${HOST}`, `https://${HOST}`],
      ...[`${HOST}\n`, `${HOST}\0`, `${HOST}\u2028`, ` ${HOST}`, `${HOST}%00`, 'a_b.example', 'örders.example', '*.a'],
      ...['::1', '[::1]', 'fe80::1%eth0', '\u212aube.example', 'a\u3002b'],
    ],
  ],
  [
    'host',
    `${HOST_RULE}is an IP address`,
    ['127.0.0.1', '10.0.0.1', '0.0.0.0', '1', '2130706433', '127.1', '0x7f.0.0.1', '0x7f000001', '127.0.0.0x1'],
  ],
  [
    'port',
    'nothing was signed: the port is not a number from 1 to 65535',
    [0, -1, 65_536, 1.5, Number.NaN, Infinity, '5432', '5432/?x=', null, undefined, [5432], 5432n, new Number(5432)],
  ],
  [
    'region',
    'nothing was signed: the region is not an AWS region',
    ['', 'us-west-2/x', 'us-west-2\n', 'US-WEST-2', 'us west 2', 'us-west', 'local', '*', ['us-west-2'], null, 2],
  ],
];

const sign = createAuthTokenSigner();

for (const [field, message, values] of BROKEN) {
  for (const value of values) {
    test(`the ${field} ${shown(value)} gives no token: ${message}`, async () => {
      const input = validInput();
      if (field === 'host' || field === 'port') Object.assign(input.endpoint, { [field]: value });
      else Object.assign(input, { [field]: value });
      await assert.rejects(sign(input), { name: 'Fault', code: 'signing_failed', message });
    });
  }
}

for (const name of ['accessKeyId', 'secretAccessKey']) {
  test(`an empty ${name} gives no token`, async () => {
    const input = validInput();
    Object.assign(input.credentials, { [name]: '' });
    await assert.rejects(sign(input), { code: 'signing_failed', message: 'an AWS key is empty' });
  });
}

test('an empty session token is not taken for none', async () => {
  const input = validInput();
  Object.assign(input.credentials, { sessionToken: '' });
  await assert.rejects(sign(input), { name: 'Fault', code: 'signing_failed' });
});

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : `of type ${typeof value}: ${String(value)}`;
  return text.length > 60 ? `${text.slice(0, 57)}… (${text.length})` : text;
}
