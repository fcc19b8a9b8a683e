import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { type KubeCluster, startCluster } from '../support/kube-cluster.ts';
import { post, type RunningService, startService } from '../support/running-service.ts';

/* Tokens of a real kube-apiserver, which also reviews them. */

/** kube-apiserver keeps a yes for 10 s; the machine may be busy. */
const REFUSED_WITHIN_MS = 12_000;

describe('the tokens of a cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-cluster-'));
  const ownToken = join(folder, 'own-token');
  let cluster: KubeCluster;

  before(async () => {
    cluster = await startCluster(folder);
    for (const [namespace, name] of [
      ['payments', 'api'],
      ['vendor', 'vendor'],
      ['vendor', 'powerless'],
    ] as const) {
      const metadata = { name: namespace };
      await cluster
        .call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
        .catch(() => {});
      await makeAccount(namespace, name);
    }
    await cluster.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'vendor' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'vendor', namespace: 'vendor' }],
    });
    writeFileSync(ownToken, await cluster.token({ namespace: 'vendor', name: 'vendor' }));
  });
  after(async () => {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function makeAccount(namespace: string, name: string) {
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
    return cluster.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, object);
  }

  /** A pod of the service account, and the token that its kubelet would mount. */
  async function podToken(name: string, audience = 'vendor'): Promise<string> {
    const { metadata } = await cluster.call('POST', '/api/v1/namespaces/payments/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { serviceAccountName: 'api', containers: [{ name: 'main', image: 'none' }] },
    });
    const pod = { name, uid: metadata?.uid ?? '' };
    return cluster.token({ namespace: 'payments', name: 'api', audience, pod });
  }

  function deletePod(name: string) {
    return cluster.call('DELETE', `/api/v1/namespaces/payments/pods/${name}?gracePeriodSeconds=0`);
  }

  /** The service, whose keys come from the cluster too, which asks for a token there. */
  function serviceOf(t: TestContext, tokenFile = ownToken): Promise<RunningService> {
    const { url, caFile } = cluster;
    const issuer = `issuers:
  - name: cluster
    issuer: ${url}
    audiences: [vendor]
    jwks: { url: "${url}/openid/v1/jwks" }
    caFile: ${caFile}
    bearerTokenFile: ${ownToken}
    kubernetes: { tokenReview: true, apiServer: "${url}", tokenFile: ${tokenFile}, caFile: ${caFile} }
`;
    return startService(t, {
      config: (text) =>
        text
          .replace(/issuers:[^]*?(?=databases:)/, issuer)
          .replace('subject: system:serviceaccount:payments:api', 'namespace: payments\n    serviceAccount: api'),
    });
  }

  async function ask(service: RunningService, jwt: string): Promise<number> {
    const wanted = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${jwt}` });
    const response = await service.ask('/v1/tokens', wanted);
    await response.arrayBuffer();
    return response.status;
  }

  test('a pod gets a token, and within 10 s of its deletion none', async (t) => {
    const service = await serviceOf(t);
    const jwt = await podToken('api-1');
    assert.equal(await ask(service, jwt), 201);
    const [record] = service.records();
    assert.deepEqual([record?.subject, record?.grant], ['system:serviceaccount:payments:api', 'api']);
    await deletePod('api-1');
    const begun = performance.now();
    while ((await ask(service, jwt)) === 201 && performance.now() - begun < 2 * REFUSED_WITHIN_MS) await pause(100);
    const took = performance.now() - begun;
    t.diagnostic(`refused ${(took / 1000).toFixed(1)} s after the pod was gone`);
    assert.ok(took < REFUSED_WITHIN_MS, `${took} ms`);
    assert.equal(await ask(service, jwt), 401);
    assert.match(service.records().at(-1)?.detail ?? '', /the cluster refuses it: .*has been invalidated/);
  });

  test('a token for another audience, or for the API server itself, is refused', async (t) => {
    const service = await serviceOf(t);
    for (const jwt of [
      await podToken('api-2', 'somebody-else'),
      await cluster.token({ namespace: 'payments', name: 'api' }),
    ]) {
      assert.equal(await ask(service, jwt), 401);
      assert.match(service.records().at(-1)?.detail ?? '', /the aud names none of our audiences/);
    }
  });

  test('a service account that is made anew under its name is another one', async (t) => {
    const service = await serviceOf(t);
    const jwt = await cluster.token({ namespace: 'payments', name: 'api', audience: 'vendor' });
    assert.equal(await ask(service, jwt), 201);
    await cluster.call('DELETE', '/api/v1/namespaces/payments/serviceaccounts/api');
    await makeAccount('payments', 'api');
    await eventually(async () => assert.equal(await ask(service, jwt), 401), REFUSED_WITHIN_MS);
    assert.equal(await ask(service, await podToken('api-3')), 201);
  });

  test('while the API server is down nobody is issued a token, and it is our fault; then everybody is again', async (t) => {
    const service = await serviceOf(t);
    const jwt = await podToken('api-4');
    assert.equal(await ask(service, jwt), 201);
    await cluster.stopApiServer();
    assert.equal(await ask(service, jwt), 503);
    const record = service.records().at(-1);
    assert.deepEqual([record?.outcome, record?.reason], ['failed', 'token_review_unavailable']);
    await cluster.startApiServer();
    assert.equal(await ask(service, jwt), 201);
  });

  test('a service that may not create reviews says which role it lacks', async (t) => {
    const powerless = join(folder, 'powerless-token');
    writeFileSync(powerless, await cluster.token({ namespace: 'vendor', name: 'powerless' }));
    const service = await serviceOf(t, powerless);
    assert.equal(await ask(service, await podToken('api-5')), 503);
    assert.match(
      service.records().at(-1)?.detail ?? '',
      /may not create tokenreviews \(see the role system:auth-delegator\)/,
    );
  });
});
