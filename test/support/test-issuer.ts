import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The issuer of hostile and good JWTs in tests. Every JWT is put together by hand, so that any can be made. */
export const ISSUER = 'https://idp.example';
export const AUDIENCE = 'vendor';
/** 2026-11-24T10:00:00Z, the frozen now of these tests. */
export const NOW = Date.UTC(2026, 10, 24, 10);

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ed = generateKeyPairSync('ed25519');
/** Of somebody else. */
export const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

export function jwkOf({ publicKey }: { readonly publicKey: KeyObject }, more: object): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), use: 'sig', ...more };
}

/** The issuer's key set, as text. */
export function keySetText(): string {
  return JSON.stringify({
    keys: [jwkOf(rsa, { kid: 'rsa' }), jwkOf(ec, { kid: 'ec', alg: 'ES256' }), jwkOf(ed, { kid: 'ed' })],
  });
}

export const HEADER = { alg: 'RS256', kid: 'rsa', typ: 'JWT' };
export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'system:serviceaccount:payments:api',
  iat: NOW / 1000 - 10,
  nbf: NOW / 1000 - 10,
  exp: NOW / 1000 + 600,
};

export type Text = string | object;

export function base64url(text: Text): string {
  return Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64url');
}

/** A JWS of any header and payload, given as objects or as raw text. */
export function signed(
  header: Text,
  payload: Text,
  key: KeyObject = rsa.privateKey,
  digest: string | null = 'sha256',
): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  const dsaEncoding = 'ieee-p1363' as const;
  return `${input}.${sign(digest, Buffer.from(input), { key, dsaEncoding }).toString('base64url')}`;
}

export function hmacSigned(header: Text, payload: Text, secret: string | Buffer): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
