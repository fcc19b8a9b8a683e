import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignAuthToken } from '../../src/issuance/auth-token.ts';
import { createAuthTokenSigner } from '../../src/rds/sign-auth-token.ts';
import { endpointAt, oddSignerCases } from '../support/odd-signer-inputs.ts';
import { dateOf, oracleToken, sortParameters } from '../support/sigv4-oracle.ts';

const NOW = Date.parse('2026-11-24T10:15:00.789Z');
const SECOND = Date.parse('2026-11-24T10:15:00Z');
const HOST = 'orders.cluster-abc123.us-west-2.rds.amazonaws.com';

type Input = Parameters<SignAuthToken>[0];

const VALID: Input = {
  endpoint: endpointAt(HOST, 5432),
  region: 'us-west-2',
  user: 'app_rw',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'k3y', sessionToken: null, expiresAt: null },
  now: NOW,
};

const sign = createAuthTokenSigner();

test('every odd user, host, port and credential gives the token that AWS’s description of the signature gives', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const cases = oddSignerCases();
  assert.ok(cases.length >= 200);
  for (const input of cases) {
    const { token } = await sign({ ...input, now: NOW });
    const { host, port } = input.endpoint;
    const claims = { host, port, region: input.region, user: input.user, date: '20261124T101500Z' };
    assert.equal(sortParameters(token), sortParameters(oracleToken({ ...claims, ...input.credentials })));
  }
});

test('an upper-case host is signed in lower case, as RDS compares it', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const shouted = await sign({ ...VALID, endpoint: endpointAt(HOST.toUpperCase(), 5432) });
  assert.equal(shouted.token, (await sign(VALID)).token);
});

test('a token is issued at its own X-Amz-Date and lives 900 seconds with static keys', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const { token, ...life } = await sign(VALID);
  assert.equal(dateOf(token), '20261124T101500Z');
  assert.deepEqual(life, { issuedAt: SECOND, expiresAt: SECOND + 900_000, limitedBy: 'rds' });
});

const LIVES: readonly [expiresAt: number, life: object][] = [
  [SECOND + 900_001, { expiresAt: SECOND + 900_000, limitedBy: 'rds' }],
  [SECOND + 900_000, { expiresAt: SECOND + 900_000, limitedBy: 'rds' }],
  [SECOND + 899_999, { expiresAt: SECOND + 899_999, limitedBy: 'credentials' }],
  [NOW + 1, { expiresAt: NOW + 1, limitedBy: 'credentials' }],
];
for (const [expiresAt, life] of LIVES) {
  test(`credentials that expire ${expiresAt - NOW} ms from now give a token that ends with the earlier of the two`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: NOW });
    const { token: _, issuedAt, ...rest } = await sign({ ...VALID, credentials: { ...VALID.credentials, expiresAt } });
    assert.deepEqual([issuedAt, rest], [SECOND, life]);
  });
}

for (const expiresAt of [NOW, NOW - 1, 0, -1, Number.NaN]) {
  test(`credentials that expired at ${expiresAt} never sign`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: NOW });
    const credentials = { ...VALID.credentials, expiresAt };
    await assert.rejects(sign({ ...VALID, credentials }), { name: 'Fault', code: 'credentials_expiring' });
  });
}

test('credentials that expire between the request and the signature give no token', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW + 2000 });
  const credentials = { ...VALID.credentials, expiresAt: NOW + 500 };
  await assert.rejects(sign({ ...VALID, credentials }), { name: 'Fault', code: 'credentials_expiring' });
});

for (const [what, clock] of [
  ['6 s behind', NOW - 6000],
  ['31 s ahead of', NOW + 31_000],
] as const) {
  test(`a process clock ${what} the request gives no token`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: clock });
    const message = 'the signed token was dropped: not as expected: X-Amz-Date';
    await assert.rejects(sign(VALID), { name: 'Fault', code: 'signing_failed', message });
  });
}

test('two tokens of the same second are the same, so a retry tells an eavesdropper nothing new', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  assert.equal((await sign(VALID)).token, (await sign(VALID)).token);
});
