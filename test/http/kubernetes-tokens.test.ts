import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { problemSchema } from '../../src/http/schemas.ts';
import { buildApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createLogger } from '../../src/logger.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { API, post, type RunningService, startService, writeServiceFiles } from '../support/running-service.ts';

const BOUND = { namespace: 'payments', serviceaccount: { name: 'api', uid: 'u1' }, pod: { name: 'api-0', uid: 'u2' } };
const POD = { 'kubernetes.io': BOUND };

/** The service with the cluster's issuer, whose tokens are reviewed. */
async function start(t: TestContext): Promise<{ readonly service: RunningService; readonly cluster: ApiServer }> {
  const cluster = await startApiServer(t);
  const { url, caFile, tokenFile } = cluster;
  const review = `    kubernetes: { tokenReview: true, apiServer: "${url}", caFile: ${caFile}, tokenFile: ${tokenFile} }\n`;
  const config = (text: string) =>
    text
      .replace('databases:\n', `${review}databases:\n`)
      .replace(`    subject: ${API}\n`, '    namespace: payments\n    serviceAccount: api\n');
  return { service: await startService(t, { config }), cluster };
}

async function ask(service: RunningService, token: string): Promise<{ status: number; type: string; text: string }> {
  const init = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${token}` });
  const response = await service.ask('/v1/tokens', init);
  const text = await response.text();
  return { status: response.status, type: response.ok ? '' : problemSchema.parse(JSON.parse(text)).type, text };
}

test('the token of a pod gets an auth token while the cluster knows it, and none from the moment it does not', async (t) => {
  const { service, cluster } = await start(t);
  const token = await service.mint(POD);
  cluster.tokens.set(token, { username: API, audiences: ['vendor'] });
  assert.equal((await ask(service, token)).status, 201);
  cluster.tokens.delete(token);
  const refused = await ask(service, token);
  assert.deepEqual([refused.status, refused.type], [401, 'urn:rds-token-vendor:problem:token-invalid']);
  assert.ok(!refused.text.includes('cluster') && !refused.text.includes('invalidated'));
  const [first, second] = service.records();
  assert.deepEqual([first?.outcome, first?.grant], ['issued', 'api']);
  assert.deepEqual(
    [second?.outcome, second?.reason, second?.detail],
    [
      'refused',
      'token_invalid',
      'token of issuer cluster: the cluster refuses it: [invalid bearer token, service account token has been invalidated]',
    ],
  );
});

test('while the cluster cannot be asked the answer is 503, with a record and without a secret', async (t) => {
  const { service, cluster } = await start(t);
  const token = await service.mint(POD);
  cluster.reviewers.clear();
  const failed = await ask(service, token);
  assert.deepEqual(
    [failed.status, failed.type],
    [503, 'urn:rds-token-vendor:problem:unavailable:token-review-unavailable'],
  );
  const [record] = service.records();
  assert.deepEqual([record?.outcome, record?.reason], ['failed', 'token_review_unavailable']);
  assert.match(String(record?.detail), /answered 401: it does not accept the service's own token$/);
  const everything = `${failed.text}${JSON.stringify(record)}${service.log()}`;
  assert.ok(!everything.includes(token.split('.')[2] ?? '') && !everything.includes('own-token'));
});

/** The claims of tokens that must be refused before the cluster is asked. */
const REFUSED: readonly [what: string, claims: Readonly<Record<string, unknown>>, why: RegExp][] = [
  [
    'of another namespace in the claims',
    { 'kubernetes.io': { ...BOUND, namespace: 'staging' } },
    /kubernetes\.io\.namespace/,
  ],
  ['without kubernetes.io', {}, /it has no kubernetes\.io claims/],
  ['of a person', { ...POD, sub: 'jo' }, /the sub is not that of a service account/],
  ['without exp', { ...POD, exp: undefined }, /the exp is missing/],
  ['without aud', { ...POD, aud: undefined }, /the aud/],
  [
    'from a secret, as of old',
    {
      exp: undefined,
      aud: undefined,
      'kubernetes.io/serviceaccount/namespace': 'payments',
      'kubernetes.io/serviceaccount/service-account.name': 'api',
    },
    /the aud/,
  ],
  [
    'from a secret, with an aud',
    { exp: undefined, 'kubernetes.io/serviceaccount/namespace': 'payments' },
    /the exp is missing/,
  ],
];
for (const [what, claims, why] of REFUSED) {
  test(`a token ${what} is refused, and the cluster is not asked about it`, async (t) => {
    const { service, cluster } = await start(t);
    assert.equal((await ask(service, await service.mint(claims))).status, 401);
    assert.match(String(service.records()[0]?.detail), why);
    assert.deepEqual(cluster.asked, []);
  });
}

test('a token with another signature is refused, and the cluster is not asked about it', async (t) => {
  const { service, cluster } = await start(t);
  const [head, payload] = (await service.mint(POD)).split('.');
  const [, , signature] = (await service.mint(POD)).split('.');
  assert.equal((await ask(service, `${head}.${payload}.${signature}`)).status, 401);
  assert.deepEqual(cluster.asked, []);
});

test('in a cluster its own API server is asked; outside of one a service that must ask does not start', async (t) => {
  const cluster = await startApiServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-in-cluster-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { caFile, tokenFile, url } = cluster;
  const review = `    kubernetes: { tokenReview: true, caFile: ${caFile}, tokenFile: ${tokenFile} }\n`;
  writeServiceFiles(folder, (text) => text.replace('databases:\n', `${review}databases:\n`));
  const options = { version: '0', logger: createLogger({ write: () => {} }), stsRegion: undefined };
  const loaded = loadConfig(join(folder, 'config.yaml'));
  await assert.rejects(
    buildApp(loaded, options),
    /issuer cluster has tokenReview, and the service runs in no cluster \(KUBERNETES_SERVICE_HOST is not set\): write kubernetes\.apiServer/,
  );
  const app = await buildApp(loaded, { ...options, inClusterApiServer: url });
  await app.drain();
});
