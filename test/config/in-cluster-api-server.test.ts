import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inClusterApiServer } from '../../src/config/in-cluster-api-server.ts';

const IN_CLUSTER: readonly [host: string | undefined, port: string | undefined, url: string | undefined][] = [
  ['10.96.0.1', '443', 'https://10.96.0.1:443'],
  ['fd00:10:96::1', '6443', 'https://[fd00:10:96::1]:6443'],
  ['kubernetes.default.svc', '443', 'https://kubernetes.default.svc:443'],
  [undefined, '443', undefined],
  ['10.96.0.1', undefined, undefined],
  ['', '443', undefined],
  [undefined, undefined, undefined],
];
for (const [host, port, url] of IN_CLUSTER) {
  test(`the API server of host ${host} and port ${port} is at ${url}`, () => {
    assert.equal(inClusterApiServer({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }), url);
  });
}
