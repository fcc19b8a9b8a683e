import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createDirectory, syncDirectory } from '../directory.ts';

/**
 * The Ed25519 private key that signs checkpoints, PKCS#8 in PEM. A missing file is made, mode 0600.
 *
 * @throws {Error} for operators, when it cannot be read, made or used.
 */
export function loadOrCreateCheckpointKey(file: string): KeyObject {
  try {
    const existing = readKey(file);
    if (existing !== null) return existing;
    createDirectory(dirname(file));
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeNew(file, pem);
    const made = readKey(file);
    if (made === null) throw new Error('it vanished as it was made');
    return made;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use the checkpoint key ${file}: ${why}`, { cause: error });
  }
}

/** The public key in a file that holds a private or a public key in PEM. @throws {Error} for operators. */
export function loadCheckpointPublicKey(file: string): KeyObject {
  try {
    const key = createPublicKey(readFileSync(file));
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key');
    return key;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use the checkpoint key ${file}: ${why}`, { cause: error });
  }
}

function readKey(file: string): KeyObject | null {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 private key');
  return key;
}

/** Another process that starts at the same moment may have made it first: then that one is used. */
function writeNew(file: string, text: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncDirectory(dirname(file));
}
