import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createCheckpointSigner, openCheckpoint, publicKeyOf, rootIn } from '../../../src/audit/chain/checkpoint.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const ORIGIN = 'rds-token-vendor/pod-1';
const signer = createCheckpointSigner(ORIGIN, privateKey);
const checkpoint = { size: 4711, root: Buffer.alloc(32, 7), time: Date.UTC(2026, 10, 24, 10) };
const note = signer.sign(checkpoint);

test('a checkpoint is a C2SP tlog-checkpoint: origin, size, root, our extension line, a signature', () => {
  const [origin, size, root, extension, empty, signature, end, ...more] = note.split('\n');
  assert.deepEqual([origin, size, root], [ORIGIN, '4711', Buffer.alloc(32, 7).toString('base64')]);
  assert.deepEqual([extension, empty, end, more], ['time 2026-11-24T10:00:00.000Z', '', '', []]);
  assert.match(signature ?? '', /^— rds-token-vendor\/pod-1 [A-Za-z0-9+/]{91}=$/);
});

test('it opens with the public key, and with that of its verifier key', () => {
  assert.deepEqual(openCheckpoint(note, publicKey), { ...checkpoint, origin: ORIGIN });
  assert.deepEqual(openCheckpoint(note, publicKeyOf(signer.verifierKey)), { ...checkpoint, origin: ORIGIN });
  assert.deepEqual(rootIn(note), checkpoint.root);
});

const [body = '', signatureLine = ''] = note.split('\n\n');
const ALTERED: Readonly<Record<string, string>> = {
  'another size': note.replace('4711', '4712'),
  'a size with a leading zero': note.replace('4711', '04711'),
  'a size with a sign': note.replace('4711', '+4711'),
  'another root': note.replace('Bw', 'Cw'),
  'another time': note.replace('T10:', 'T11:'),
  'another origin': note.replaceAll('pod-1', 'pod-2'),
  'another origin in the text alone': note.replace('pod-1', 'pod-2'),
  'a line more': note.replace('\n\n', '\nmore\n\n'),
  'a line less': note.replace(/\ntime [^\n]+/, ''),
  'no signature': `${body}\n\n`,
  'no empty line': `${body}\n${signatureLine}`,
  'a signature cut short': note.slice(0, -9),
  'a signature of zeros': note.replace(/ [A-Za-z0-9+/=]+\n$/, ` ${Buffer.alloc(68).toString('base64')}\n`),
  'carriage returns': note.replaceAll('\n', '\r\n'),
  nothing: '',
};
for (const [what, text] of Object.entries(ALTERED)) {
  test(`a checkpoint with ${what} does not open`, () => {
    assert.notEqual(text, note);
    assert.throws(() => openCheckpoint(text, publicKey));
  });
}

test('another key does not open it', () => {
  assert.throws(() => openCheckpoint(note, generateKeyPairSync('ed25519').publicKey), /no valid signature/);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  assert.throws(() => openCheckpoint(note, rsa.publicKey), /not an Ed25519 key/);
});

test('further signatures, as of a witness, do no harm', () => {
  const witness = createCheckpointSigner('witness.example/w', generateKeyPairSync('ed25519').privateKey);
  const line = witness.sign(checkpoint).split('\n\n')[1] ?? '';
  assert.equal(openCheckpoint(`${body}\n\n${line}${signatureLine}`, publicKey).size, 4711);
});

test('texts that are no verifier key are refused', () => {
  const { verifierKey } = signer;
  for (const text of ['', 'x', verifierKey.replace('pod-1', 'pod-2'), verifierKey.slice(0, -4), `${verifierKey}AAAA`]) {
    assert.throws(() => publicKeyOf(text), /no verifier key/, text);
  }
});

test('a log cannot be named with what separates the parts of a note', () => {
  for (const origin of ['', 'a b', 'a+b', 'a\nb']) assert.throws(() => createCheckpointSigner(origin, privateKey));
});
