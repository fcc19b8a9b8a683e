import type { KeyObject } from 'node:crypto';

/** Signature algorithms an issuer may be configured with (RFC 7518 §3, RFC 8037, RFC 9864). Never `none`, never HMAC. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

/** Whether a public key is of the one kind that an algorithm uses, so that no key is ever tried with another's. */
export function keyFitsAlgorithm(key: KeyObject, algorithm: string): boolean {
  if (algorithm.startsWith('RS') || algorithm.startsWith('PS')) return key.asymmetricKeyType === 'rsa';
  if (algorithm === 'EdDSA' || algorithm === 'Ed25519') return key.asymmetricKeyType === 'ed25519';
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === CURVES[algorithm];
}
