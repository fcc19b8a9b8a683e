import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppOverrides } from '../../src/app/app-options.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import type { AuditLog, AuditRecord } from '../../src/issuance/audit-record.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { loadKeySet } from '../../src/jwt/load-key-set.ts';
import { createAuthTokenSigner } from '../../src/rds/sign-auth-token.ts';
import { post, SECRET_KEY, startService } from '../support/running-service.ts';

const secrets = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET_KEY, sessionToken: null };
const leak = `expected eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.abc near ${SECRET_KEY}`;

const FAULTS: readonly [what: string, code: string, overrides: AppOverrides][] = [
  [
    'no source gives AWS credentials',
    'credentials_unavailable',
    { loadCredentials: () => Promise.reject(new Error('none')) },
  ],
  [
    'the AWS credentials have expired',
    'credentials_expiring',
    { loadCredentials: () => Promise.resolve({ ...secrets, expiresAt: Date.now() - 1000 }) },
  ],
  [
    'the AWS credentials are about to expire',
    'credentials_expiring',
    { loadCredentials: () => Promise.resolve({ ...secrets, expiresAt: Date.now() + 30_000 }) },
  ],
  [
    "the issuer's keys cannot be loaded",
    'issuer_keys_unavailable',
    { loadKeySet: () => Promise.reject(new Error('the IdP is down')) },
  ],
  ['the signing library throws', 'internal', { signAuthToken: () => Promise.reject(new Error(leak)) }],
  [
    'the signed token is not what was asked',
    'signing_failed',
    { signAuthToken: (input) => createAuthTokenSigner()({ ...input, now: input.now + 3_600_000 }) },
  ],
];
for (const [what, code, overrides] of FAULTS) {
  test(`when ${what}, the answer is 503 with Retry-After, no token, and a record that says ${code}`, async (t) => {
    const service = await startService(t, { overrides });
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
    const text = await response.text();
    const problem = problemSchema.parse(JSON.parse(text));
    assert.deepEqual(
      [response.status, problem.type],
      [503, `urn:rds-token-vendor:problem:unavailable:${code.replaceAll('_', '-')}`],
    );
    assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.ok(!text.includes('X-Amz'));
    const record = service.records()[0] ?? assert.fail('no record');
    assert.deepEqual(
      [record.id, record.outcome, record.reason, record.token_fingerprint],
      [problem.audit_id, 'failed', code, null],
    );
    assert.ok(!(JSON.stringify(record) + text).includes(leak));
    assert.ok(!service.log().includes('eyJhbGciOiJub25lIn0'));
  });
}

test('credentials that end in five minutes sign a token of five minutes, and the answer says so', async (t) => {
  const expiresAt = Math.floor(Date.now() / 1000) * 1000 + 300_000;
  const service = await startService(t, {
    overrides: { loadCredentials: () => Promise.resolve({ ...secrets, expiresAt }) },
  });
  const body = await (await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }))).text();
  assert.match(body, new RegExp(`"expires_at":"${new Date(expiresAt).toISOString()}"`));
  assert.match(body, /"limited_by":"credentials"/);
});

test('when the record cannot be written, issuing and refusing are both 503 and no token leaves', async (t) => {
  const service = await startService(t, { overrides: { audit: failingAudit() } });
  for (const user of ['app_rw', 'nobody']) {
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user }));
    const text = await response.text();
    assert.deepEqual([response.status, text.includes('unavailable:audit-unavailable')], [503, true]);
    assert.ok(!text.includes('X-Amz'));
  }
  const large = await service.ask('/v1/tokens', post({ user: 'u'.repeat(20_000) }));
  assert.equal(large.status, 503);
});

test('the answer waits for the record', async (t) => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<AuditRecord>();
  const audit = {
    ...failingAudit(),
    record: (record: AuditRecord) => (begun.resolve(record), gate.promise.then(() => record.id)),
  };
  const service = await startService(t, { overrides: { audit } });
  let answered = false;
  const asking = service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' })).then((response) => {
    answered = true;
    return response;
  });
  assert.equal((await begun.promise).outcome, 'issued');
  // Everything that could leave without waiting has left after a round trip of another request.
  assert.equal((await fetch(new URL('/v1/ca-bundles', service.url))).status, 200);
  assert.equal(answered, false);
  gate.resolve();
  assert.equal((await asking).status, 201);
});

test('a database in a region without a bundle is 503 while none could be fetched, and other databases are served', async (t) => {
  const config = (text: string) =>
    `${text.replaceAll('us-west-2', 'il-central-1')}caBundles: { refresh: 24h, source: "https://127.0.0.1:1/x" }\n`;
  const service = await startService(t, { config });
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  assert.deepEqual(
    [
      response.status,
      problemSchema
        .parse(await response.json())
        .type.split(':')
        .at(-1),
    ],
    [503, 'ca-bundle-unavailable'],
  );
  assert.equal((await service.ask('/v1/tokens', post({ database: 'billing' }))).status, 201);
  const ready = await (await fetch(new URL('/readyz', service.adminUrl))).json();
  assert.match(JSON.stringify(ready), /"status":"ready".*"il-central-1":"the CA bundle il-central-1 is not/);
});

test('an unknown kid while the issuer is down is our 503, and known keys go on verifying', async (t) => {
  let down = false;
  const service = await startService(t, {
    overrides: { loadKeySet: (source) => (down ? Promise.reject(new Error('down')) : loadKeySet(source)) },
  });
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  down = true;
  const [head = '', ...rest] = (await service.mint()).split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  const other = Buffer.from(JSON.stringify({ ...header, kid: 'new' })).toString('base64url');
  const response = await service.ask('/v1/whoami', {
    headers: { authorization: `Bearer ${[other, ...rest].join('.')}` },
  });
  assert.equal(response.status, 503);
  assert.equal((await service.ask('/v1/whoami')).status, 200);
});

function failingAudit(): AuditLog {
  const unavailable = () => Promise.reject(new Fault('audit_unavailable', 'the disk is full'));
  return { record: unavailable, probe: unavailable, close: () => Promise.resolve() };
}
