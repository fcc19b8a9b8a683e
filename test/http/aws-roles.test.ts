import assert from 'node:assert/strict';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { Signer } from '@aws-sdk/rds-signer';
import { whyTokenRefused } from '../../demo/sandbox-database/check-iam-token.ts';
import { openSandboxSts, type SandboxSts } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import type { AppOverrides } from '../../src/app/app-options.ts';
import { eventually } from '../support/eventually.ts';
import { post, type RunningService, SECRET_KEY, startService } from '../support/running-service.ts';

const ROLE = 'arn:aws:iam::123456789012:role/orders-connect';
const USER = 'arn:aws:iam::123456789012:user/vendor';
const connect = 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/*';
const allow = { Effect: 'Allow' as const };
const trustPolicy = {
  Version: '2012-10-17',
  Statement: [
    { ...allow, Principal: { AWS: USER }, Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'] },
  ],
};
const permissionPolicy = {
  Version: '2012-10-17',
  Statement: [{ ...allow, Action: 'rds-db:connect', Resource: connect }],
};

let sts: SandboxSts;
let earlier: string | undefined;
let first = 0;
before(async () => {
  sts = await openSandboxSts({
    now: Date.now,
    users: new Map([['AKIAIOSFODNN7EXAMPLE', { secretAccessKey: SECRET_KEY, arn: USER }]]),
    roles: new Map([[ROLE, { trustPolicy, permissionPolicy }]]),
  });
  earlier = process.env['AWS_ENDPOINT_URL_STS'];
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url;
});
after(async () => {
  if (earlier === undefined) delete process.env['AWS_ENDPOINT_URL_STS'];
  else process.env['AWS_ENDPOINT_URL_STS'] = earlier;
  await sts.close();
});
beforeEach(() => {
  sts.setFault(undefined);
  first = sts.calls.length;
});

const calls = () => sts.calls.slice(first);

function start(t: TestContext, role: string, overrides: AppOverrides = {}, arn = ROLE): Promise<RunningService> {
  const config = (text: string) =>
    text.replace('    resourceId: cluster', `    role: { arn: "${arn}"${role} }\n    resourceId: cluster`);
  return startService(t, { config, overrides });
}

async function issue(service: RunningService, user = 'app_rw', more: object = {}): Promise<string> {
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user, ...more }));
  const text = await response.text();
  assert.equal(response.status, 201, text);
  const token: unknown = JSON.parse(text).token;
  return String(token);
}

/** The session that signed a token. */
function sessionOf(token: string) {
  const [, id = ''] = /X-Amz-Credential=([A-Z0-9]+)%2F/.exec(token) ?? [];
  return sts.session(id) ?? assert.fail(`no session ${id}`);
}

test('a shared role has one session for every user, without a policy of its own', async (t) => {
  const service = await start(t, '');
  const one = sessionOf(await issue(service, 'app_rw'));
  const other = sessionOf(await issue(service, 'app_ro'));
  assert.equal(one.accessKeyId, other.accessKeyId);
  assert.equal(one.sessionPolicy, null);
  assert.match(one.sessionName, /^rds-token-vendor@/);
  assert.deepEqual(
    calls().map(({ action, parameters }) => [action, parameters['RoleArn'], parameters['DurationSeconds']]),
    [['AssumeRole', ROLE, '3600']],
  );
  const record = service.records()[0];
  assert.deepEqual([record?.role_arn, record?.access_key_id], [one.assumedRoleArn, one.accessKeyId]);
});

test('perUser has a session for each database user, whose policy names exactly that one', async (t) => {
  const service = await start(t, ', scope: perUser');
  for (const user of ['app_rw', 'app_ro', 'app_rw']) await issue(service, user);
  assert.deepEqual(
    calls().map(({ parameters }) => parameters['Policy']),
    ['app_rw', 'app_ro'].map(
      (user) =>
        `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rds-db:connect","Resource":"arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/${user}"}]}`,
    ),
  );
});

test('perCaller names the caller and the record to AWS', async (t) => {
  const service = await start(t, ', scope: perCaller, externalId: vendor, tags: { team: payments }');
  const session = sessionOf(await issue(service));
  const record = service.records()[0];
  assert.ok(session.sessionName.startsWith(`${record?.id}@system_`), session.sessionName);
  assert.match(session.sourceIdentity ?? '', /^system_serviceaccount_payments_api@cluster\+[0-9a-f]{16}$/);
  assert.deepEqual(Object.fromEntries(session.tags), {
    team: 'payments',
    'rtv-issuer': 'cluster',
    'rtv-subject': 'system:serviceaccount:payments:api',
    'rtv-database': 'orders',
    'rtv-user': 'app_rw',
  });
  assert.equal(calls()[0]?.parameters['ExternalId'], 'vendor');
  assert.equal(record?.role_arn, session.assumedRoleArn);
});

test('the database takes a perUser session for its one user only, whoever holds its keys; a shared one for every user', async (t) => {
  const iam = {
    host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABCDEFGH',
    secretAccessKeys: new Map<string, string>(),
    session: sts.session,
  };
  const expected = { ', scope: perUser': 'the policies of its session do not allow this user', '': undefined };
  for (const [scope, why] of Object.entries(expected)) {
    const token = await issue(await start(t, scope), 'app_rw');
    assert.equal(whyTokenRefused(token, 'app_rw', iam, Date.now()), undefined);
    const { accessKeyId, secretAccessKey, sessionToken } = sessionOf(token);
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    const { host: hostname, port, region } = iam;
    const stolen = new Signer({ hostname, port, region, username: 'app_ro', credentials });
    assert.equal(whyTokenRefused(await stolen.getAuthToken(), 'app_ro', iam, Date.now()), why);
  }
});

test('a role that does not trust the service is 503 with the reason on record, and other databases are served', async (t) => {
  const service = await start(t, '', {}, `${ROLE}-of-others`);
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get('retry-after')) > 0);
  assert.ok(!(await response.text()).includes('X-Amz'));
  assert.match(
    service.records()[0]?.detail ?? '',
    /^role arn:aws:iam::123456789012:role\/orders-connect-of-others: STS: /,
  );
  assert.equal((await service.ask('/v1/tokens', post({ database: 'billing' }))).status, 201);
});

test('/readyz says of each role what came of its last call, and a refused role leaves the service ready', async (t) => {
  const service = await start(t, '', {}, `${ROLE}-of-others`);
  const told = async () => {
    const text = await (await fetch(new URL('/readyz', service.adminUrl))).text();
    const { status, checks } = JSON.parse(text);
    return [status, checks.aws_roles];
  };
  const role = `${ROLE}-of-others`;
  // The issuer's keys are fetched in the background.
  await eventually(async () => assert.deepEqual(await told(), ['ready', { [role]: 'no session was asked for yet' }]));
  const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  assert.equal(response.status, 503);
  assert.deepEqual(await told(), ['ready', { [role]: 'STS: it does not allow this (AccessDenied) in us-west-2' }]);
});

test('while STS throttles, sessions that live go on signing and it is asked once in 30 s; then 503 until it answers', async (t) => {
  let ahead = 0;
  const service = await start(t, '', { monotonic: () => performance.now() + ahead });
  const throttled = async () => {
    const text = await (await fetch(new URL('/metrics', service.adminUrl))).text();
    return Number(/rtv_sts_calls_total\{[^}]*result="throttled"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  await issue(service);
  sts.setFault('throttle');
  // The time of renewal has begun: half of the session's hour is over.
  ahead = 31 * 60_000;
  await issue(service);
  await eventually(async () => assert.equal(await throttled(), 1));
  const begun = calls().length;
  assert.ok(begun > 1 && begun <= 4, `${begun} requests`);
  for (let count = 0; count < 5; count++) await issue(service);
  ahead += 29_000;
  await issue(service);
  assert.equal(calls().length, begun);
  ahead += 2_000;
  for (let count = 0; count < 5; count++) await issue(service);
  await eventually(async () => assert.equal(await throttled(), 2));
  assert.equal(calls().length, begun + 1);

  ahead += 29 * 60_000;
  const wanted = post({ database: 'orders', user: 'app_rw' });
  const refused = await service.ask('/v1/tokens', wanted);
  assert.equal(refused.status, 503);
  const seconds = Number(refused.headers.get('retry-after'));
  assert.ok(seconds >= 1 && seconds <= 30, `${seconds}`);
  assert.match(service.records().at(-1)?.detail ?? '', /could not be renewed: .*it throttles requests \(Throttling\)$/);
  assert.equal((await service.ask('/v1/tokens', post({ database: 'billing' }))).status, 201);
  assert.match(
    await (await fetch(new URL('/readyz', service.adminUrl))).text(),
    /"status":"ready".*it throttles requests/,
  );

  sts.setFault(undefined);
  ahead += 31_000;
  await issue(service);
});

test('min_remaining that the credentials cannot give is 503, never a shorter token', async (t) => {
  const expiresAt = Date.now() + 300_000;
  const secrets = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET_KEY, sessionToken: null };
  const service = await startService(t, {
    overrides: { loadCredentials: () => Promise.resolve({ ...secrets, expiresAt }) },
  });
  const wanted = { database: 'orders', user: 'app_rw' };
  assert.equal((await service.ask('/v1/tokens', post({ ...wanted, min_remaining: 290 }))).status, 201);
  assert.equal((await service.ask('/v1/tokens', post({ ...wanted, min_remaining: 310 }))).status, 503);
  assert.match(service.records().at(-1)?.detail ?? '', /, before the 310 s that are asked for$/);
  assert.equal((await service.ask('/v1/tokens', post({ ...wanted, min_remaining: 901 }))).status, 400);
  const form = { method: 'POST', body: new URLSearchParams({ ...wanted, min_remaining: '290' }) };
  assert.equal((await service.ask('/v1/tokens', form)).status, 201);
});
