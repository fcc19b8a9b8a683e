import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSandboxSts, type SandboxSts } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import { API, post, startService } from '../support/running-service.ts';

const ROLE = 'arn:aws:iam::123456789012:role/orders-callers';
const PROVIDER = 'arn:aws:iam::123456789012:oidc-provider/idp.example';
const resource = 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/*';
const role = {
  trustPolicy: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow' as const,
        Principal: { Federated: PROVIDER },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { 'idp.example:aud': 'vendor', 'idp.example:sub': API } },
      },
    ],
  },
  permissionPolicy: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow' as const, Action: 'rds-db:connect', Resource: resource }],
  },
};

let sts: SandboxSts;
let seen = '';
let subject = API;
let refusal: string | undefined;
before(async () => {
  sts = await openSandboxSts({
    now: Date.now,
    users: new Map(),
    roles: new Map([[ROLE, role]]),
    verifyJwt: (jwt) => {
      seen = jwt;
      return Promise.resolve(refusal ?? { provider: 'https://idp.example', subject, audience: 'vendor' });
    },
  });
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url;
});
after(async () => {
  delete process.env['AWS_ENDPOINT_URL_STS'];
  await sts.close();
});

const config = (text: string) =>
  text.replace(
    '    resourceId: cluster',
    `    webIdentity: { arn: "${ROLE}", issuers: [cluster] }\n    resourceId: cluster`,
  );
const none = { loadCredentials: () => Promise.reject(new Error('the service has no credentials of its own')) };

test("the caller's own JWT assumes the role, once for each JWT, and the service has no credentials of its own", async (t) => {
  const service = await startService(t, { config, overrides: none });
  const jwt = await service.mint();
  const wanted = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${jwt}` });
  for (let count = 0; count < 3; count++) assert.equal((await service.ask('/v1/tokens', wanted)).status, 201);
  assert.equal(seen, jwt);
  assert.deepEqual(
    sts.calls.map(({ action, signedBy }) => [action, signedBy]),
    [['AssumeRoleWithWebIdentity', null]],
  );
  assert.match(sts.calls[0]?.parameters['Policy'] ?? '', /dbuser:cluster-ABCDEFGH\/app_rw"/);
  assert.match(service.records()[0]?.role_arn ?? '', /:assumed-role\/orders-callers\/[0-9a-f-]{36}@system_/);
  const other = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${await service.mint()}` });
  assert.equal((await service.ask('/v1/tokens', other)).status, 201);
  assert.equal(sts.calls.length, 2);
});

test('a JWT that STS does not accept concerns its caller alone', async (t) => {
  const service = await startService(t, { config, overrides: none });
  subject = 'somebody else';
  const refused = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  subject = API;
  assert.equal(refused.status, 503);
  assert.match(service.records()[0]?.detail ?? '', /STS: it does not allow this \(AccessDenied\)/);
  assert.equal((await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }))).status, 201);
});

for (const [code, calls, why] of [
  ['InvalidIdentityToken', 2, /does not accept the caller's JWT \(InvalidIdentityTokenException\)$/],
  ['ExpiredTokenException', 2, /does not accept the caller's JWT \(ExpiredTokenException\)$/],
  ['IDPCommunicationError', 1, /cannot reach the issuer of the caller's JWT \(IDPCommunicationErrorException\)$/],
] as const) {
  test(`${code} of two JWTs: 503, the reason on record, and STS is asked about ${calls} of them`, async (t) => {
    const service = await startService(t, { config, overrides: none });
    const wanted = { database: 'orders', user: 'app_rw' };
    refusal = code;
    t.after(() => (refusal = undefined));
    const before = new Set<string>();
    for (const jwt of [await service.mint(), await service.mint({ jti: 'other' })]) {
      const response = await service.ask('/v1/tokens', post(wanted, { authorization: `Bearer ${jwt}` }));
      const text = await response.text();
      assert.equal(response.status, 503, text);
      assert.ok(Number(response.headers.get('retry-after')) > 0);
      assert.ok(!text.includes(code));
      assert.match(service.records().at(-1)?.detail ?? '', why);
      before.add(seen);
    }
    assert.equal(before.size, calls);
  });
}

test('a grant for an issuer whose JWTs the role does not take is a mistake of the configuration', async (t) => {
  const other = (text: string) => config(text).replace('issuers: [cluster]', 'issuers: [corp]');
  await assert.rejects(startService(t, { config: other }), /names corp, which is no issuer/);
});
