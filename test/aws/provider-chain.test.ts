import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listen, portOf } from '../../demo/listen.ts';

const program = fileURLToPath(new URL('../support/provider-chain-child.ts', import.meta.url));
const EXPIRY = '2030-01-02T03:04:05Z';

/** What the chain gives in a process that has this environment and nothing else. */
async function ask(env: Readonly<Record<string, string>>): Promise<unknown> {
  const none = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env: { ...none, ...env } });
  return JSON.parse(stdout);
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rtv-aws-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${portOf(server)}`;
}

const temporary = { accessKeyId: 'ASIATEST', sessionToken: 'tok', expiresAt: Date.parse(EXPIRY) };
const document = { AccessKeyId: 'ASIATEST', SecretAccessKey: 's', Token: 'tok', Expiration: EXPIRY, Code: 'Success' };

test('the environment gives static keys', async () => {
  const given = await ask({ AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' });
  assert.deepEqual(given, { accessKeyId: 'AKIAENV', sessionToken: null, expiresAt: null });
});

test('a profile of the shared credentials file gives its keys', async (t) => {
  const file = join(folder(t), 'credentials');
  writeFileSync(file, '[vendor]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n');
  const given = await ask({
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_PROFILE: 'vendor',
  });
  assert.deepEqual(given, { accessKeyId: 'AKIAPROFILE', sessionToken: null, expiresAt: null });
});

test('web identity (IRSA) asks STS with the token file, in the region it is told', async (t) => {
  const asked: string[] = [];
  const sts = await serve(t, (request, response) => {
    request.on('data', (chunk) => asked.push(String(chunk)));
    request.on('end', () => {
      const credentials = `<AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>${EXPIRY}</Expiration>`;
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
        );
    });
  });
  const file = join(folder(t), 'token');
  writeFileSync(file, 'web-identity-jwt');
  const given = await ask({
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/vendor',
    AWS_ENDPOINT_URL_STS: sts,
    TEST_REGION: 'us-west-2',
  });
  assert.deepEqual(given, temporary);
  assert.match(asked.join(''), /Action=AssumeRoleWithWebIdentity.*web-identity-jwt/);
});

test('EKS Pod Identity and ECS give credentials over the container endpoint, with its authorization token', async (t) => {
  const endpoint = await serve(t, (request, response) => {
    const status = request.headers.authorization === 'pod-token' ? 200 : 401;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  const file = join(folder(t), 'token');
  writeFileSync(file, 'pod-token');
  const given = await ask({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
  });
  assert.deepEqual(given, temporary);
});

test('instance metadata gives the role of the instance, by IMDSv2, where that is allowed and only there', async (t) => {
  const endpoint = await serve(t, (request, response) => {
    const { method, url = '', headers } = request;
    if (method === 'PUT' && url === '/latest/api/token') return response.end('imds-token');
    if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return response.writeHead(401).end();
    return response.end(url.endsWith('/security-credentials/') ? 'vendor-role' : JSON.stringify(document));
  });
  const env = { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint };
  assert.deepEqual(await ask({ ...env, TEST_ALLOW_INSTANCE_PROFILE: '1' }), temporary);
  assert.deepEqual(await ask(env), { error: 'Fault' });
});

test('without any source the chain says so', async () => {
  assert.deepEqual(await ask({}), { error: 'CredentialsProviderError' });
});
