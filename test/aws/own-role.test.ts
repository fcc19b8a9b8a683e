import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { listen, portOf } from '../../demo/listen.ts';
import { openSandboxSts, type SandboxSts } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import type { PolicyStatement } from '../../demo/sandbox-sts/policy.ts';
import { assumeSession } from '../support/assumed-session.ts';
import { eventually } from '../support/eventually.ts';
import { mintJwt, post, SECRET_KEY, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';

/* The program where its credentials are those of a pod or of a machine, with a database whose tokens a role signs. */

const VENDOR = 'arn:aws:iam::123456789012:role/rds-token-vendor';
const CONNECT = 'arn:aws:iam::123456789012:role/orders-connect';
const USER = 'arn:aws:iam::123456789012:user/tester';
const POD_TOKEN = 'the-token-of-the-pod';

let sts: SandboxSts;
/** As the endpoints of pods and machines write a session. */
let given = '';
before(async () => {
  const policy = (statement: Omit<PolicyStatement, 'Effect'>) => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow' as const, ...statement }],
  });
  const Action = 'sts:AssumeRole';
  sts = await openSandboxSts({
    now: Date.now,
    users: new Map([['AKIAIOSFODNN7EXAMPLE', { secretAccessKey: SECRET_KEY, arn: USER }]]),
    roles: new Map([
      [
        VENDOR,
        {
          trustPolicy: policy({ Action, Principal: { AWS: USER } }),
          permissionPolicy: policy({ Action, Resource: CONNECT }),
        },
      ],
      [
        CONNECT,
        {
          trustPolicy: policy({ Action, Principal: { AWS: VENDOR } }),
          permissionPolicy: policy({ Action: 'rds-db:connect', Resource: '*' }),
        },
      ],
    ]),
  });
  const { SessionToken: Token, Expiration, ...keys } = await assumeSession(VENDOR, sts.url);
  given = JSON.stringify({ ...keys, Token, Expiration: Expiration.toISOString(), Code: 'Success' });
});
after(() => sts.close());

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${portOf(server)}`;
}

/** The EKS Pod Identity agent, which asks for the pod's own token. */
const podIdentity: RequestListener = ({ headers, url }, response) => {
  const right = headers.authorization === POD_TOKEN && url === '/v1/credentials';
  response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' }).end(right ? given : '{}');
};

/** EC2's metadata service, version 2 only. */
const instanceMetadata: RequestListener = ({ method, url = '', headers }, response) => {
  if (method === 'PUT' && url === '/latest/api/token') return response.end('imds-token');
  if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return response.writeHead(401).end();
  return response.end(url.endsWith('/security-credentials/') ? 'rds-token-vendor' : given);
};

async function start(t: TestContext, env: Readonly<Record<string, string>>, aws = '') {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-own-role-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const role = `    role: { arn: "${CONNECT}", scope: perUser }\n    resourceId: cluster`;
  const privateKey = writeServiceFiles(folder, (text) => text.replace('    resourceId: cluster', role) + aws);
  writeFileSync(join(folder, 'pod-token'), POD_TOKEN);
  const program = runProgram(t, ['--config', join(folder, 'config.yaml')], {
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_REGION: 'us-west-2',
    AWS_ENDPOINT_URL_STS: sts.url,
    HOME: '/nonexistent',
    ...env,
    ...('AWS_CONTAINER_CREDENTIALS_FULL_URI' in env
      ? { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'pod-token') }
      : {}),
  });
  const url = await program.listening;
  const authorization = `Bearer ${await mintJwt(privateKey, {})}`;
  const wanted = post({ database: 'orders', user: 'app_rw' }, { authorization });
  return {
    ask: () => fetch(new URL('/v1/tokens', url), wanted),
    lastRecord: () => readSqliteRecords(join(folder, 'data', 'audit.db')).at(-1),
    log: program.stdout,
  };
}

test('EKS Pod Identity: the pod’s role assumes the role of the database, and the log says who it is', async (t) => {
  const agent = await serve(t, podIdentity);
  const service = await start(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials` });
  const response = await service.ask();
  assert.equal(response.status, 201);
  const token = await response.text();
  const session = sts.session(service.lastRecord()?.access_key_id ?? '') ?? assert.fail('no session signed');
  assert.ok(token.includes(`X-Amz-Credential=${session.accessKeyId}%2F`));
  assert.equal(session.roleArn, CONNECT);
  await eventually(async () =>
    assert.match(
      service.log(),
      /"origin":"container".*"arn":"arn:aws:sts::123456789012:assumed-role\/rds-token-vendor\/pod"/,
    ),
  );
  const { SecretAccessKey, Token }: Readonly<Record<string, string>> = JSON.parse(given);
  for (const secret of [SecretAccessKey, Token, POD_TOKEN, session.secretAccessKey, session.sessionToken])
    assert.ok(!service.log().includes(secret ?? assert.fail()));
});

test('the role of the machine is refused, with the reason on record, until it is allowed', async (t) => {
  const endpoint = await serve(t, instanceMetadata);
  const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint };
  const refusing = await start(t, env);
  assert.equal((await refusing.ask()).status, 503);
  assert.match(refusing.lastRecord()?.detail ?? '', /instance profile.*aws\.allowInstanceProfile is not set/);
  const allowing = await start(t, env, 'aws: { allowInstanceProfile: true }\n');
  assert.equal((await allowing.ask()).status, 201);
  await eventually(async () => assert.match(allowing.log(), /"origin":"instance_profile"/));
});
