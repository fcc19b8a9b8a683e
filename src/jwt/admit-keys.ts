import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Claims, JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';

/** One public key of an issuer. `algorithm` is set where the key is for that algorithm only (JWK `alg`). */
export type IssuerKey = {
  readonly kid: string | undefined;
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
};

/** The keys of a JWK set that may verify, and one phrase for each that was left out. */
export type AdmittedKeys = { readonly keys: readonly IssuerKey[]; readonly rejected: readonly string[] };

const MIN_RSA_BITS = 2048;
const MIN_RSA_EXPONENT = 65537n;
/** Members of a private or symmetric key (RFC 7518 §6). A set that publishes one has lost it. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Reads a JWK set (RFC 7517 §5) and admits the keys that are strong and meant for verifying. A weak or foreign key
 * beside good ones is left out, as §5 asks; a set that leaves none, or names a kid twice, is refused as a whole.
 *
 * @throws {Error} when the set cannot be used. The message quotes no key.
 */
export function admitKeys(text: string): AdmittedKeys {
  const set = parseStrictJson(text);
  const members = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(members)) throw new Error('the JWK set has no list of keys');
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
  return { keys, rejected };
}

function admitKey(jwk: Claims): IssuerKey | string {
  const { kty, kid, use, alg, key_ops: operations } = jwk;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'not an RSA, EC or OKP key';
  if (SECRET_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return 'holds private members';
  if (use !== undefined && use !== 'sig') return 'not for signatures (use)';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'not for verifying (key_ops)';
  }
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a string';
  if (alg !== undefined && typeof alg !== 'string') return 'its alg is not a string';
  let key: KeyObject;
  try {
    key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return 'not a valid public key';
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (kty === 'RSA' && modulusLength < MIN_RSA_BITS) return `RSA of ${modulusLength} bits, under ${MIN_RSA_BITS}`;
  if (kty === 'RSA' && publicExponent < MIN_RSA_EXPONENT) return `RSA with the public exponent ${publicExponent}`;
  return { kid, algorithm: alg, key };
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
