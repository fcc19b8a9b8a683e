import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SandboxStsFault } from '../../demo/sandbox-sts/fault.ts';
import { openSandboxSts, type SandboxSts } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import { post, SECRET_KEY, startService } from '../support/running-service.ts';

const ACCOUNT = 'arn:aws:iam::123456789012';
const [ROLE, HUB, USER] = [`${ACCOUNT}:role/team/connect`, `${ACCOUNT}:role/hub`, `${ACCOUNT}:user/vendor`];
const ODD = `${ACCOUNT}:role/a:b/connect`;
const allow = { Effect: 'Allow' as const };

function role(trusted: readonly string[], action: string) {
  return {
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [{ ...allow, Principal: { AWS: trusted }, Action: 'sts:AssumeRole' }],
    },
    permissionPolicy: { Version: '2012-10-17', Statement: [{ ...allow, Action: action, Resource: '*' }] },
  };
}

let sts: SandboxSts;
before(async () => {
  sts = await openSandboxSts({
    now: Date.now,
    users: new Map([['AKIAIOSFODNN7EXAMPLE', { secretAccessKey: SECRET_KEY, arn: USER }]]),
    roles: new Map([
      [ROLE, role([USER, HUB], 'rds-db:connect')],
      [ODD, role([USER], 'rds-db:connect')],
      [HUB, role([USER], 'sts:AssumeRole')],
    ]),
  });
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url;
});
after(async () => {
  delete process.env['AWS_ENDPOINT_URL_STS'];
  await sts.close();
});

function config(orders: string, billing = '') {
  return (text: string) =>
    text
      .replace('    resourceId: cluster', `    role: ${orders}\n    resourceId: cluster`)
      .replace('    resourceId: prx', `${billing && `    role: ${billing}\n`}    resourceId: prx`);
}

const FAULTS: readonly [fault: SandboxStsFault & string, code: string, why: RegExp][] = [
  ['throttle', 'credentials-unavailable', /it throttles requests \(Throttling\)$/],
  ['server_error', 'credentials-unavailable', /it failed \(InternalFailure\)$/],
  ['unavailable', 'credentials-unavailable', /it failed \(ServiceUnavailable\)$/],
  ['reset', 'credentials-unavailable', /it cannot be reached$/],
  ['hang', 'credentials-unavailable', /it cannot be reached$/],
  [
    'region_disabled',
    'credentials-unavailable',
    /not active in this region for the account \(RegionDisabledException\)$/,
  ],
  ['not_xml', 'credentials-unavailable', /^role [^ ]+: STS: /],
  ['no_credentials', 'credentials-unavailable', /its answer is not what was asked for$/],
  ['expired', 'credentials-expiring', /could not be renewed$/],
];
for (const [fault, code, why] of FAULTS) {
  test(`STS, ${fault}: 503 with Retry-After for that role, the reason on record, and no token`, async (t) => {
    const service = await startService(t, { config: config(`{ arn: "${ROLE}" }`) });
    sts.setFault(fault);
    t.after(() => sts.setFault(undefined));
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
    const text = await response.text();
    assert.equal(response.status, 503);
    assert.match(text, new RegExp(`unavailable:${code}"`));
    assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.ok(!text.includes('X-Amz'));
    const record = service.records()[0];
    assert.deepEqual([record?.outcome, record?.token_fingerprint], ['failed', null]);
    assert.match(record?.detail ?? '', why);
    assert.equal((await service.ask('/v1/tokens', post({ database: 'billing' }))).status, 201);
  });
}

test('a role on the way that is refused: Retry-After is when it is asked again, and it is not asked before', async (t) => {
  const service = await startService(t, { config: config(`{ arn: "${ROLE}", via: [{ arn: "${HUB}-of-others" }] }`) });
  const begun = sts.calls.length;
  for (let count = 0; count < 3; count++) {
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
    assert.equal(response.status, 503);
    const seconds = Number(response.headers.get('retry-after'));
    assert.ok(seconds > 20 && seconds <= 30, `${seconds}`);
  }
  assert.equal(sts.calls.length - begun, 1);
  assert.match(service.records().at(-1)?.detail ?? '', /role [^ ]+-of-others: STS: it does not allow this/);
  const metrics = await (await fetch(new URL('/metrics', service.adminUrl))).text();
  assert.match(metrics, /^rtv_aws_role_sessions 0$/m);
});

test('a colon in a role’s path is no part of its session’s ARN', async (t) => {
  const service = await startService(t, { config: config(`{ arn: "${ODD}" }`) });
  assert.equal((await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }))).status, 201);
  assert.match(service.records()[0]?.role_arn ?? '', /^arn:aws:sts::123456789012:assumed-role\/connect\//);
});

test('one role by two ways: each session is asked for with the keys of its own way', async (t) => {
  const same = `arn: "${ROLE}", stsRegion: us-west-2`;
  const service = await startService(t, {
    config: config(`{ ${same}, via: [{ arn: "${HUB}" }] }`, `{ ${same} }`),
  });
  const begun = sts.calls.length;
  const wanted = [post({ database: 'orders', user: 'app_rw' }), post({ database: 'billing' })];
  const answers = await Promise.all(wanted.map((init) => service.ask('/v1/tokens', init)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201],
  );
  const calls = sts.calls.slice(begun).map(({ parameters, signedBy }) => {
    const session = sts.session(signedBy ?? '');
    return `${parameters['RoleArn']} by ${session?.roleArn ?? signedBy}`;
  });
  assert.deepEqual(calls.sort(), [
    `${HUB} by AKIAIOSFODNN7EXAMPLE`,
    `${ROLE} by AKIAIOSFODNN7EXAMPLE`,
    `${ROLE} by ${HUB}`,
  ]);
});
