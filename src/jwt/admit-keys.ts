import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import type { Claims, JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';

/** One public key of an issuer. `algorithm` is set where the key is for that algorithm only (JWK `alg`). */
export type IssuerKey = {
  readonly kid: string | undefined;
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
};

/** The keys of a JWK set that may verify. */
export type AdmittedKeys = {
  readonly keys: readonly IssuerKey[];
  /** One phrase for each key that was left out. */
  readonly rejected: readonly string[];
  /** SHA-256 over the admitted keys, hex: the same whatever order and form they are published in. */
  readonly hash: string;
};

const MAX_KEYS = 100;
const MIN_RSA_BITS = 2048;
/** Verifying with a key of this size takes a millisecond, and of a larger one for as long as its owner likes. */
const MAX_RSA_BITS = 16_384;
const MIN_RSA_EXPONENT = 65_537n;
/** As Go's crypto/rsa has it: the work of verifying grows with the exponent's length. */
const MAX_RSA_EXPONENT = 2n ** 31n - 1n;
const CURVES: ReadonlySet<JsonValue | undefined> = new Set(['P-256', 'P-384', 'P-521', 'Ed25519']);
/** Members of a private or symmetric key (RFC 7518 §6). A set that publishes one has lost it. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Reads a JWK set (RFC 7517 §5) and admits the keys that are strong and meant for verifying. A weak or foreign key
 * beside good ones is left out, as §5 asks; a set that leaves none, names a kid twice or has over 100 keys is refused as
 * a whole.
 *
 * @throws {Error} when the set cannot be used. The message quotes no key.
 */
export function admitKeys(text: string): AdmittedKeys {
  const members = readMembers(text);
  if (members.length > MAX_KEYS) throw new Error(`the JWK set has ${members.length} keys, over ${MAX_KEYS}`);
  const keys: IssuerKey[] = [];
  const rejected: string[] = [];
  members.forEach((member, position) => {
    const admitted = isObject(member) ? admitKey(member) : 'not an object';
    if (typeof admitted === 'string') rejected.push(`key ${position + 1}: ${admitted}`);
    else keys.push(admitted);
  });
  if (keys.length === 0) throw new Error(['the JWK set has no key that may verify', ...rejected].join('; '));
  const kids = keys.map(({ kid }) => kid).filter((kid) => kid !== undefined);
  if (new Set(kids).size !== kids.length) throw new Error('the JWK set has the same kid twice');
  return { keys, rejected, hash: hashOf(keys) };
}

function readMembers(text: string): readonly JsonValue[] {
  let set: JsonValue;
  try {
    set = parseStrictJson(text);
  } catch (error) {
    throw new Error(`the JWK set is ${error instanceof Error ? error.message : 'unreadable'}`, { cause: error });
  }
  const members = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(members)) throw new Error('the JWK set has no list of keys');
  return members;
}

function admitKey(jwk: Claims): IssuerKey | string {
  const { kty, crv, kid, use, alg, key_ops: operations } = jwk;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'not an RSA, EC or OKP key';
  if (SECRET_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return 'holds private members';
  if (use !== undefined && use !== 'sig') return 'not for signatures (use)';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'not for verifying (key_ops)';
  }
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a string';
  if (alg !== undefined && typeof alg !== 'string') return 'its alg is not a string';
  if (kty !== 'RSA' && !CURVES.has(crv)) return 'on another curve than P-256, P-384, P-521 or Ed25519';
  let key: KeyObject;
  try {
    key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return 'not a valid public key';
  }
  return (kty === 'RSA' ? whyUnfit(key) : undefined) ?? { kid, algorithm: alg, key };
}

/** One phrase about an RSA key that is too weak, or too costly to verify with. */
function whyUnfit({ asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {} }: KeyObject) {
  if (modulusLength < MIN_RSA_BITS) return `RSA of ${modulusLength} bits, under ${MIN_RSA_BITS}`;
  if (modulusLength > MAX_RSA_BITS) return `RSA of ${modulusLength} bits, over ${MAX_RSA_BITS}`;
  if (publicExponent < MIN_RSA_EXPONENT) return `RSA with the public exponent ${publicExponent}`;
  if (publicExponent > MAX_RSA_EXPONENT || publicExponent % 2n === 0n)
    return 'RSA with a public exponent that is even or over 2^31-1';
  return undefined;
}

function hashOf(keys: readonly IssuerKey[]): string {
  const lines = keys.map(({ kid = null, algorithm = null, key }) =>
    JSON.stringify([kid, algorithm, key.export({ type: 'spki', format: 'der' }).toString('base64')]),
  );
  return hash('sha256', lines.toSorted().join('\n'));
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
