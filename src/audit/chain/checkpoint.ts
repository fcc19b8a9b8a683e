import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/**
 * What a signed checkpoint says: the log `origin` had `size` records, and this was the root of their Merkle tree.
 * Written as C2SP tlog-checkpoint in a C2SP signed-note with Ed25519 (c2sp.org/tlog-checkpoint, c2sp.org/signed-note).
 */
export type Checkpoint = {
  /** `NAME/INSTANCE`; also the name of the key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** When it was signed, milliseconds since the epoch; an extension line. */
  readonly time: number;
};

/** Signs checkpoints of one log. */
export type CheckpointSigner = {
  /** The C2SP verifier key: `NAME+ID+KEY`, public. */
  readonly verifierKey: string;
  /** The whole signed note. */
  sign(checkpoint: Omit<Checkpoint, 'origin'>): string;
  /** Reads a note of this log that this key signed. @throws {Error} that says what is wrong with it. */
  open(note: string): Checkpoint;
};

const ED25519 = Buffer.from([1]);
/** The DER of every Ed25519 public key begins so (RFC 8410 §4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export function createCheckpointSigner(origin: string, privateKey: KeyObject): CheckpointSigner {
  if (/[\s+]/u.test(origin) || origin === '') throw new Error(`${JSON.stringify(origin)} cannot name a log`);
  const publicKey = createPublicKey(privateKey);
  const keyBytes = rawPublicKey(publicKey);
  const id = keyId(origin, keyBytes);
  return {
    verifierKey: `${origin}+${id.toString('hex')}+${Buffer.concat([ED25519, keyBytes]).toString('base64')}`,
    sign(checkpoint) {
      const text = noteText({ ...checkpoint, origin });
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64');
      return `${text}\n\u2014 ${origin} ${signature}\n`;
    },
    open(note) {
      const checkpoint = openCheckpoint(note, publicKey);
      if (checkpoint.origin !== origin) throw new Error(`it is one of ${checkpoint.origin}`);
      return checkpoint;
    },
  };
}

/**
 * Reads a signed note and verifies its signature.
 *
 * @throws {Error} that says what is wrong with it.
 */
export function openCheckpoint(note: string, publicKey: KeyObject): Checkpoint {
  const end = note.indexOf('\n\n');
  if (end === -1) throw new Error('it is not a signed note');
  const text = note.slice(0, end + 1);
  const checkpoint = parseText(text);
  const keyBytes = rawPublicKey(publicKey);
  const id = keyId(checkpoint.origin, keyBytes);
  const signatures = note.slice(end + 2).split('\n');
  const signed = signatures.some((line) => {
    const [dash, name, encoded = '', ...rest] = line.split(' ');
    if (dash !== '\u2014' || name !== checkpoint.origin || rest.length > 0) return false;
    const bytes = Buffer.from(encoded, 'base64');
    return bytes.subarray(0, 4).equals(id) && verify(null, Buffer.from(text), publicKey, bytes.subarray(4));
  });
  if (!signed) throw new Error('it has no valid signature of this key');
  return checkpoint;
}

/** The root that a note says, whoever signed it; empty when there is none. */
export function rootIn(note: string): Buffer {
  return Buffer.from(note.split('\n')[2] ?? '', 'base64');
}

/** The public key in a C2SP verifier key. @throws {Error} when it is none for Ed25519. */
export function publicKeyOf(verifierKey: string): KeyObject {
  const [name = '', id, ...encoded] = verifierKey.trim().split('+');
  const bytes = Buffer.from(encoded.join('+'), 'base64');
  const isOne = bytes.length === 33 && bytes[0] === 1 && keyId(name, bytes.subarray(1)).toString('hex') === id;
  if (!isOne) throw new Error('it is no verifier key: NAME+ID+KEY for Ed25519, whose ID is that of this name and key');
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes.subarray(1)]), format: 'der', type: 'spki' });
}

function noteText({ origin, size, root, time }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\ntime ${new Date(time).toISOString()}\n`;
}

function parseText(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', extension = '', ...rest] = text.split('\n');
  const root = Buffer.from(encoded, 'base64');
  const time = Date.parse(extension.replace(/^time /, ''));
  const checkpoint = { origin, size: Number(size), root, time };
  const isOne = /^(?:0|[1-9][0-9]{0,15})$/.test(size) && root.length === 32 && !Number.isNaN(time);
  // Written again it must be the same text: nothing in it was read in a second way.
  if (!isOne || rest.join('') !== '' || noteText(checkpoint) !== text)
    throw new Error('it is not a checkpoint of ours');
  return checkpoint;
}

/** C2SP signed-note: SHA-256 of the name, a line end, the kind of key and the key; the first four bytes. */
function keyId(name: string, keyBytes: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), ED25519, keyBytes]), 'buffer').subarray(0, 4);
}

function rawPublicKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the key is not an Ed25519 key');
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}
