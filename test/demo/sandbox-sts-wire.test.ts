import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { SandboxStsFault } from '../../demo/sandbox-sts/fault.ts';
import { openSandbox, ROLE, refused, USER } from './sts-fixture.ts';

test('a signature must be of a key that STS knows, with the right secret and security token', async (t) => {
  const { assume, whoAmI } = await openSandbox(t);
  const { keys } = await assume();
  const { accessKeyId, secretAccessKey } = keys;
  await refused(whoAmI({ ...USER, accessKeyId: 'AKIAUNKNOWN' }), 403, 'InvalidClientTokenId');
  await refused(whoAmI({ ...USER, secretAccessKey: 'other' }), 403, 'SignatureDoesNotMatch', /does not match/);
  await refused(whoAmI({ ...USER, sessionToken: 'x' }), 403, 'InvalidClientTokenId');
  await refused(whoAmI({ ...keys, secretAccessKey: 'other' }), 403, 'SignatureDoesNotMatch');
  await refused(whoAmI({ ...keys, sessionToken: 'x' }), 403, 'InvalidClientTokenId');
  await refused(whoAmI({ accessKeyId, secretAccessKey }), 403, 'InvalidClientTokenId');
  await refused(assume({}, { ...USER, secretAccessKey: 'other' }), 403, 'SignatureDoesNotMatch');
});

test('a session ends at its time', async (t) => {
  const { assume, whoAmI, advance } = await openSandbox(t);
  const { keys, credentials } = await assume({ DurationSeconds: 900 });
  const left = (credentials.Expiration?.getTime() ?? 0) - Date.now();
  advance(left - 10_000);
  assert.equal((await whoAmI(keys)).Account, '111122223333');
  advance(10_001);
  await refused(whoAmI(keys), 403, 'ExpiredToken', /is expired/);
  await refused(assume({}, keys), 403, 'ExpiredToken');
});

test('a clock that is more than 15 minutes off is refused, and a client corrects it by the answer', async (t) => {
  const { client, advance } = await openSandbox(t);
  const ask = (clock: ReturnType<typeof client>) => clock.send(new GetCallerIdentityCommand({}));
  const [almost, slow, fast] = [client(), client(), client()];
  advance(880_000);
  await ask(almost);
  advance(30_000);
  await refused(ask(slow), 403, 'SignatureDoesNotMatch', /^Signature expired: \d{8}T\d{6}Z is now earlier than /);
  await ask(slow);
  advance(-2 * 910_000);
  await refused(ask(fast), 403, 'SignatureDoesNotMatch', /^Signature not yet current: /);
  await ask(fast);
});

/** A request as the SDK signs it, to be sent again with changes. */
async function signedRequest(t: Parameters<typeof openSandbox>[0]) {
  const sandbox = await openSandbox(t);
  const client = sandbox.client();
  let signed: { headers: Record<string, string>; body: string } | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      assert.ok(typeof request === 'object' && request !== null && 'headers' in request && 'body' in request);
      const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name, String(value)]);
      signed = { headers: Object.fromEntries(headers), body: String(request.body) };
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'keep' },
  );
  await client.send(new GetCallerIdentityCommand({}));
  assert.ok(signed);
  const { headers, body } = signed;
  delete headers['content-length'];
  return { url: sandbox.sts.url, headers, body };
}

async function post(url: string, headers: Record<string, string>, body: string, method = 'POST'): Promise<string> {
  const answer = await fetch(url, { method, headers, ...(method === 'POST' && { body }) });
  const text = await answer.text();
  return `${answer.status} ${/<Code>(.*)<\/Code>/.exec(text)?.[1] ?? 'OK'}`;
}

test('nothing that was signed can be changed', async (t) => {
  const { url, headers, body } = await signedRequest(t);
  const authorization = headers['authorization'] ?? '';
  assert.equal(await post(url, headers, body), '200 OK');
  const mismatch = '403 SignatureDoesNotMatch';
  const changed = (change: Record<string, string>) => post(url, { ...headers, ...change }, body);
  assert.equal(await post(url, headers, `${body}&X=1`), mismatch);
  assert.equal(await changed({ 'x-amz-extra': '1' }), mismatch);
  assert.equal(await changed({ 'x-amz-user-agent': 'another' }), mismatch);
  assert.equal(await changed({ 'x-amz-date': '20200101T000000Z' }), mismatch);
  assert.equal(await changed({ 'x-amz-date': 'today' }), '400 IncompleteSignature');
  assert.equal(await changed({ authorization: authorization.replace('/sts/', '/s3/') }), mismatch);
  assert.equal(await changed({ authorization: authorization.replace('us-west-2', 'us-east-1') }), mismatch);
  assert.equal(await changed({ authorization: authorization.replace('host;', '') }), mismatch);
  assert.equal(await changed({ authorization: authorization.slice(0, -1) }), mismatch);
  assert.equal(await changed({ authorization: 'Bearer x' }), '400 IncompleteSignature');
  const { authorization: _, ...unsigned } = headers;
  assert.equal(await post(url, unsigned, body), '403 MissingAuthenticationToken');
});

test('STS serves its own forms only', async (t) => {
  const { sts } = await openSandbox(t);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const action = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15';
  assert.equal(await post(sts.url, form, 'Action=GetFederationToken&Version=2011-06-15'), '400 InvalidAction');
  assert.equal(await post(sts.url, form, 'Action=AssumeRole&Version=2010-01-01'), '400 InvalidAction');
  assert.equal(await post(sts.url, form, ''), '400 MissingAction');
  assert.equal(await post(sts.url, form, `${action}&Other=1`), '400 ValidationError');
  assert.equal(await post(sts.url, form, `${action}&RoleArn=a&RoleArn=b`), '400 ValidationError');
  assert.equal(await post(sts.url, form, `${action}&RoleArn=${ROLE}&RoleSessionName=ab`), '400 ValidationError');
  assert.equal(await post(sts.url, form, 'x'.repeat(200_000)), '413 RequestEntityTooLarge');
  assert.equal(await post(sts.url, { 'content-type': 'application/json' }, '{}'), '404 UnknownOperationException');
  assert.equal(await post(`${sts.url}/x`, form, action), '404 UnknownOperationException');
  assert.equal(await post(sts.url, form, '', 'GET'), '404 UnknownOperationException');
  const answer = await fetch(sts.url, { method: 'POST', headers: form, body: `${action}&A<%26=1` });
  assert.equal(answer.headers.get('content-type'), 'text/xml');
  const xml = await answer.text();
  assert.match(xml, /^<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><Error><Type>Sender</);
  assert.match(xml, /A&#60;&#38; is not recognized/);
});

const ANSWERED: readonly [fault: SandboxStsFault, status: number, name: string][] = [
  ['throttle', 400, 'Throttling'],
  ['server_error', 500, 'InternalFailure'],
  ['unavailable', 503, 'ServiceUnavailable'],
  ['region_disabled', 403, 'RegionDisabledException'],
];
for (const [fault, status, name] of ANSWERED) {
  test(`the fault ${JSON.stringify(fault)} is ${status} ${name}, until it is taken away`, async (t) => {
    const { sts, assume } = await openSandbox(t);
    sts.setFault(fault);
    await refused(assume(), status, name);
    sts.setFault(undefined);
    await assume();
    const { action, parameters, signedBy } = sts.calls[0] ?? assert.fail('no call');
    assert.deepEqual([action, signedBy], ['AssumeRole', USER.accessKeyId]);
    assert.deepEqual(parameters, { RoleArn: ROLE, RoleSessionName: 'session' });
    assert.deepEqual(
      sts.calls.map(({ status }) => status),
      [status, 200],
    );
  });
}

test('a fault of the options is asked for at each request, and setFault goes before it', async (t) => {
  const faults: (SandboxStsFault | undefined)[] = ['throttle', undefined, 'server_error'];
  const { sts, assume } = await openSandbox(t, { fault: () => faults.shift() });
  await refused(assume(), 400, 'Throttling');
  await assume();
  sts.setFault('unavailable');
  await refused(assume(), 503, 'ServiceUnavailable');
  sts.setFault(undefined);
  await refused(assume(), 500, 'InternalFailure');
});

test('an answer may be no XML, lack credentials, or give ones that are over', async (t) => {
  const { sts, assume, client, whoAmI } = await openSandbox(t);
  sts.setFault('not_xml');
  await assert.rejects(client().send(new GetCallerIdentityCommand({})));
  sts.setFault('no_credentials');
  await assert.rejects(assume(), /Credentials/);
  sts.setFault('expired');
  const { credentials, keys } = await assume();
  assert.ok(credentials.Expiration && credentials.Expiration.getTime() < Date.now());
  await refused(whoAmI(keys), 403, 'ExpiredToken');
  assert.deepEqual(
    sts.calls.map(({ status }) => status),
    [200, 200, 200, 403],
  );
});

test('an answer may be late, or never come, or the connection break', async (t) => {
  const { sts, assume, client } = await openSandbox(t);
  sts.setFault({ delayMs: 50 });
  const before = performance.now();
  await assume();
  assert.ok(performance.now() - before >= 49);
  sts.setFault('reset');
  await assert.rejects(assume(), { code: 'ECONNRESET' });
  sts.setFault('hang');
  const abortSignal = AbortSignal.timeout(100);
  await assert.rejects(client().send(new GetCallerIdentityCommand({}), { abortSignal }), { name: 'AbortError' });
  assert.deepEqual(
    sts.calls.map(({ status }) => status),
    [200, 0, 0],
  );
});

for (const fault of ['hang', { delayMs: 60_000 }] as const) {
  test(`closing ends a request that waits: ${JSON.stringify(fault)}`, { timeout: 10_000 }, async (t) => {
    const { sts, assume } = await openSandbox(t);
    sts.setFault(fault);
    const asked = assert.rejects(assume());
    while (sts.calls.length === 0) await sleep(5);
    await sts.close();
    await asked;
  });
}
