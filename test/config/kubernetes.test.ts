import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { test } from 'node:test';
import { policyDifferences } from '../../src/commands/run-policy-tests.ts';
import { loadText, problemsOf, VALID, withChange } from '../support/config-file.ts';

/** The valid configuration with a cluster as its issuer. */
const CLUSTER = withChange(
  '    audiences: [vendor]\n  - name: corp',
  '    kubernetes: {}\n    audiences: [vendor]\n  - name: corp',
);
const byNamespace = (text: string) =>
  text.replace('    subject: system:serviceaccount:payments:api\n', '    namespace: payments\n');

test('a cluster is not asked unless the configuration says so, and then with the files that every pod has', () => {
  const { tokenReview, apiServer, tokenFile, caFile } = loadText(CLUSTER).config.issuers[0]?.kubernetes ?? {};
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  assert.deepEqual(
    [tokenReview, apiServer, tokenFile, caFile],
    [false, undefined, `${folder}/token`, `${folder}/ca.crt`],
  );
});

test("the files of another cluster's API server start at the folder of the configuration", () => {
  const text = CLUSTER.replace('kubernetes: {}', 'kubernetes: { tokenFile: east/token, caFile: ./east/ca.crt }');
  const { tokenFile = '', caFile = '' } = loadText(text).config.issuers[0]?.kubernetes ?? {};
  assert.ok(isAbsolute(tokenFile));
  assert.equal(caFile, join(tokenFile, '../ca.crt'));
  assert.ok(tokenFile.endsWith('/east/token'));
});

test('a namespace of an issuer that is no cluster is refused where it stands, with the mend', () => {
  assert.deepEqual(problemsOf(byNamespace(CLUSTER)), []);
  assert.deepEqual(problemsOf(byNamespace(VALID)), [
    '23:16: grants[0].namespace can match no caller: the issuer cluster is not set up as a cluster. Add kubernetes: {} to that issuer, or name another one.',
  ]);
  const auditor = `${CLUSTER}auditors: [{ name: a, issuer: corp, namespace: security }]\n`;
  assert.deepEqual(problemsOf(auditor), [
    '30:48: auditors[0].namespace can match no caller: the issuer corp is not set up as a cluster. Add kubernetes: {} to that issuer, or name another one.',
  ]);
});

test('a mistake in what is said of the cluster is not told again for each of its grants', () => {
  const text = byNamespace(CLUSTER.replace('kubernetes: {}', 'kubernetes: { tokenReview: 1 }'));
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(' ')[1]),
    ['issuers[0].kubernetes.tokenReview'],
  );
});

test('the configuration that the documentation shows loads, and so do the ways to insist on a pod', () => {
  const page = readFileSync(new URL('../../docs/kubernetes-tokens.md', import.meta.url), 'utf8');
  const [, shown = ''] = /^```yaml\n(issuers:[^]*?\n)```$/m.exec(page) ?? [];
  const [, databases = ''] = /^(databases:\n[^]*?)grants:/m.exec(VALID) ?? [];
  const text = `${shown.replaceAll('/var/run/secrets/kubernetes.io/serviceaccount/', '')}${databases}`;
  const files = ['ca.crt', 'token'];
  assert.deepEqual(loadText(text, {}, files).warnings, []);
  const ways = [...page.matchAll(/`(claims: \{[^`]*\}|when: [^`]*)`/g)].map(([, way = '']) => way);
  assert.equal(ways.length, 2);
  const bound = 'namespace: payments, serviceaccount: { name: api }';
  const tests = `policyTests:
  - { name: pod, issuer: cluster, claims: { sub: ${SUB}, kubernetes.io: { ${bound}, pod: { name: api-0 } } }, ${WANTED}, expect: issued }
  - { name: none, issuer: cluster, claims: { sub: ${SUB}, kubernetes.io: { ${bound} } }, ${WANTED}, expect: refused }
`;
  for (const way of ways) {
    const insisting = text.replace('    serviceAccount: api', `    ${way}\n    serviceAccount: api`);
    assert.deepEqual(policyDifferences(loadText(insisting + tests, {}, files), 0), []);
  }
});

const SUB = 'system:serviceaccount:payments:api';
const WANTED = 'database: orders, user: app_rw';
