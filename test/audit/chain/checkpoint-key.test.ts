import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCheckpointPublicKey, loadOrCreateCheckpointKey } from '../../../src/audit/chain/checkpoint-key.ts';
import { testDirectory } from '../../support/audit-setup.ts';

test('a missing key is made, mode 0600 in a directory of mode 0700, and used from then on', (t) => {
  const file = join(testDirectory(t), 'deep', 'key.pem');
  const made = loadOrCreateCheckpointKey(file);
  assert.equal(made.asymmetricKeyType, 'ed25519');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
  assert.ok(loadOrCreateCheckpointKey(file).equals(made));
});

test('the public half is read of a private and of a public key', (t) => {
  const file = join(testDirectory(t), 'key.pem');
  loadOrCreateCheckpointKey(file);
  const key = loadCheckpointPublicKey(file);
  const publicFile = join(testDirectory(t), 'public.pem');
  writeFileSync(publicFile, key.export({ format: 'pem', type: 'spki' }));
  assert.ok(loadCheckpointPublicKey(publicFile).equals(key));
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
for (const [what, text] of Object.entries({ 'an RSA key': rsa, 'no key': 'hello', nothing: '' })) {
  test(`a file of ${what} is refused and left as it is`, (t) => {
    const file = join(testDirectory(t), 'key.pem');
    writeFileSync(file, text);
    assert.throws(() => loadOrCreateCheckpointKey(file), /^Error: cannot use the checkpoint key .*key\.pem: /);
    assert.throws(() => loadCheckpointPublicKey(file), /^Error: cannot use the checkpoint key .*key\.pem: /);
    assert.equal(readFileSync(file, 'utf8'), text);
  });
}

test('a directory in its place is refused', (t) => {
  const file = join(testDirectory(t), 'key.pem');
  mkdirSync(file);
  assert.throws(() => loadOrCreateCheckpointKey(file), /cannot use the checkpoint key/);
});
