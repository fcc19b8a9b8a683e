import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuthTokenSigner } from '../../src/rds/sign-auth-token.ts';
import { endpointAt, oddSignerCases, type SignerCase } from '../support/odd-signer-inputs.ts';
import { sortParameters } from '../support/sigv4-oracle.ts';

/*
 * Our tokens against those of AWS's own signers: botocore, and the AWS CLI made of it. Needs `python3-botocore`,
 * `awscli` and `faketime` (apt). RTV_BOTOCORE_PYTHON names a Python that has botocore, where that is not python3.
 */

const NOW = Date.parse('2026-11-24T10:15:00.500Z');
const DATE = '20261124T101500Z';
const PYTHON = process.env['RTV_BOTOCORE_PYTHON'] ?? 'python3';
const PROGRAM = fileURLToPath(new URL('./botocore-tokens.py', import.meta.url));

/** Neither signer may find credentials, a region or an endpoint in the surroundings. */
const BARE = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', TZ: 'UTC' };

async function ourTokens(cases: readonly SignerCase[]): Promise<string[]> {
  const sign = createAuthTokenSigner();
  const tokens = await Promise.all(cases.map((input) => sign({ ...input, now: NOW })));
  return tokens.map(({ token }) => sortParameters(token));
}

test('every odd user and host gets the token that botocore signs', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const cases = oddSignerCases();
  assert.ok(cases.length >= 200);
  const claims = cases.map(({ endpoint: { host, port }, region, user, credentials }) => {
    return { host, port, region, user, ...credentials, date: DATE };
  });
  const run = spawnSync(PYTHON, [PROGRAM], { input: JSON.stringify(claims), env: BARE, maxBuffer: 2 ** 26 });
  requireRun(run, `${PYTHON} with botocore`, 'apt-get install python3-botocore, or set RTV_BOTOCORE_PYTHON');
  const theirs: string[] = JSON.parse(run.stdout.toString());
  assert.deepEqual(await ourTokens(cases), theirs.map(sortParameters));
});

test('the AWS CLI signs the same tokens', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const all = oddSignerCases();
  const gov = endpointAt('db1.abc123.us-gov-west-1.rds.amazonaws.com', 5432);
  const china = endpointAt('db1.abc123.rds.cn-north-1.amazonaws.com.cn', 3306);
  const [plain = assert.fail(), { credentials } = assert.fail()] = all;
  const cases = [
    ...['app_rw', 'a+b', "o'brien & co?x=%20"].map((user) => ({ ...plain, user })),
    { endpoint: gov, region: 'us-gov-west-1', user: 'zoë', credentials },
    { endpoint: china, region: 'cn-north-1', user: '用户 😀', credentials },
  ];
  assert.deepEqual(await ourTokens(cases), cases.map(cliToken).map(sortParameters));
});

function cliToken({ endpoint: { host, port }, region, user, credentials }: SignerCase): string {
  const command = ['aws', 'rds', 'generate-db-auth-token', '--hostname', host, '--port', String(port)];
  const options = ['--username', user, '--region', region];
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const env = {
    ...BARE,
    LC_ALL: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === null ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
  // Without the leading @ the clock stands still.
  const run = spawnSync('faketime', ['-f', '2026-11-24 10:15:00', ...command, ...options], { env });
  requireRun(run, '`aws` under `faketime`', 'apt-get install awscli faketime');
  return run.stdout.toString().trimEnd();
}

function requireRun(run: SpawnSyncReturns<Buffer>, what: string, install: string): void {
  const why = run.error?.message ?? run.stderr.toString();
  assert.equal(run.status, 0, `${what} did not run; this test needs it: ${install}.\n${why}`);
}
