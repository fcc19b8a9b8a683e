import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type MotoServer, startMoto } from '../support/moto-server.ts';
import { mintJwt, post, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';

/* The program with moto's STS, which checks every signature and what the service's user may do. */

const ROLE = 'arn:aws:iam::123456789012:role/orders-connect';
const HUB = 'arn:aws:iam::123456789012:role/hub';
/** Which only the hub may assume. */
const OTHER_ROLE = 'arn:aws:iam::123456789012:role/by-way-of-hub';

let moto: MotoServer;
let keys: Readonly<Record<string, string>>;
before(async () => {
  moto = await startMoto();
  await moto.iam('CreateUser', { UserName: 'vendor' });
  await moto.iam('PutUserPolicy', {
    UserName: 'vendor',
    PolicyName: 'assume',
    PolicyDocument: policy(['sts:AssumeRole', [ROLE, HUB]], ['sts:GetCallerIdentity', '*']),
  });
  const AssumeRolePolicyDocument = policy(['sts:AssumeRole', undefined]);
  await moto.iam('CreateRole', { RoleName: 'hub', AssumeRolePolicyDocument });
  await moto.iam('PutRolePolicy', {
    RoleName: 'hub',
    PolicyName: 'assume',
    PolicyDocument: policy(['sts:AssumeRole', OTHER_ROLE]),
  });
  const answer = await moto.iam('CreateAccessKey', { UserName: 'vendor' });
  const of = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1] ?? assert.fail(answer);
  keys = { AWS_ACCESS_KEY_ID: of('AccessKeyId'), AWS_SECRET_ACCESS_KEY: of('SecretAccessKey') };
});
after(() => moto.close());
beforeEach(() => moto.enforce(true));

/** What is allowed; a trust policy names no resource. */
function policy(...allowed: [action: string, resource: string | readonly string[] | undefined][]): string {
  const Statement = allowed.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }));
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** The program, and what its callers and operators see. */
async function start(t: TestContext, credentials: string, env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-moto-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const privateKey = writeServiceFiles(folder, (text) =>
    text.replace('    resourceId: cluster', `    ${credentials}\n    resourceId: cluster`),
  );
  const path = join(folder, 'config.yaml');
  const program = runProgram(t, ['--config', path], {
    AWS_ENDPOINT_URL_STS: moto.url,
    AWS_REGION: 'us-west-2',
    ...env,
  });
  const url = await program.listening;
  return {
    async issue() {
      const jwt = await mintJwt(privateKey, {});
      const init = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${jwt}` });
      const response = await fetch(new URL('/v1/tokens', url), init);
      const token = /"token":"([^"]+)"/.exec(await response.text())?.[1] ?? '';
      return { status: response.status, token };
    },
    records: () => readSqliteRecords(join(folder, 'data', 'audit.db')),
    log: program.stdout,
  };
}

test('AssumeRole: the service is the user of its keys, and a session of the role signs the token', async (t) => {
  const service = await start(t, `role: { arn: "${ROLE}", scope: perCaller, externalId: vendor }`, keys);
  const { status, token } = await service.issue();
  assert.equal(status, 201);
  const record = service.records().at(-1);
  assert.match(
    record?.role_arn ?? '',
    /^arn:aws:sts::123456789012:assumed-role\/orders-connect\/[0-9a-f-]{36}@system_/,
  );
  assert.ok(token.includes(`X-Amz-Credential=${record?.access_key_id}%2F`));
  assert.match(token, /X-Amz-Security-Token=/);
  await eventually(async () => assert.match(service.log(), /"arn":"arn:aws:iam::123456789012:user\/vendor"/));
  assert.ok(!service.log().includes(keys['AWS_SECRET_ACCESS_KEY'] ?? assert.fail()));
});

test('AssumeRole of a role that the user may not assume is 503, and the record says what STS answered', async (t) => {
  const service = await start(t, `role: { arn: "${OTHER_ROLE}" }`, keys);
  assert.equal((await service.issue()).status, 503);
  assert.match(service.records().at(-1)?.detail ?? '', /role\/by-way-of-hub: STS: .*AccessDenied/);
});

test('AssumeRole with a wrong secret key is 503, and the record says that the signature was not accepted', async (t) => {
  const service = await start(t, `role: { arn: "${ROLE}" }`, { ...keys, AWS_SECRET_ACCESS_KEY: 'a'.repeat(40) });
  assert.equal((await service.issue()).status, 503);
  assert.match(service.records().at(-1)?.detail ?? '', /SignatureDoesNotMatch/);
});

test('role chaining: the session of one role assumes another, which the user itself may not', async (t) => {
  const service = await start(t, `role: { arn: "${OTHER_ROLE}", scope: perUser, via: [{ arn: "${HUB}" }] }`, keys);
  assert.equal((await service.issue()).status, 201);
  const record = service.records().at(-1);
  assert.match(record?.role_arn ?? '', /:assumed-role\/by-way-of-hub\/rds-token-vendor@/);
});

test('AssumeRoleWithWebIdentity: without keys of its own, the service signs with a session of its caller', async (t) => {
  // moto, which has no identity providers, takes every JWT, but knows no unsigned calls when it checks.
  await moto.enforce(false);
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };
  const service = await start(t, `webIdentity: { arn: "${ROLE}", issuers: [cluster] }`, none);
  const { status, token } = await service.issue();
  assert.equal(status, 201);
  const record = service.records().at(-1);
  assert.match(record?.role_arn ?? '', /:assumed-role\/orders-connect\/[0-9a-f-]{36}@system_/);
  assert.ok(token.includes(`X-Amz-Credential=${record?.access_key_id}%2F`));
});
