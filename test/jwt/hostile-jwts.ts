import {
  AUDIENCE,
  base64url,
  CLAIMS,
  ec,
  foreign,
  HEADER,
  hmacSigned,
  ISSUER,
  jwkOf,
  NOW,
  rsa,
  signed,
} from '../support/test-issuer.ts';

/** One JWT that must be refused, and what the operator reads about it. */
export type HostileJwt = readonly [what: string, token: string, detail: RegExp];

const good = signed(HEADER, CLAIMS);
const [head = '', payload = '', signature = ''] = good.split('.');
const json = JSON.stringify(CLAIMS);
const withRaw = (text: string): string => signed(HEADER, json.replace(/\}$/, `,${text}}`));
const spki = {
  pem: rsa.publicKey.export({ type: 'spki', format: 'pem' }),
  der: rsa.publicKey.export({ type: 'spki', format: 'der' }),
};
const jwkText = JSON.stringify(rsa.publicKey.export({ format: 'jwk' }));
const HS = { ...HEADER, alg: 'HS256' };
const evil = 'http://127.0.0.1:9/keys';
const without = (name: keyof typeof CLAIMS): object =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name));
const seconds = NOW / 1000;

/** The last character of a 256-byte signature has four bits to spare: another one decodes to the same bytes. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const spare = ALPHABET[ALPHABET.indexOf(signature.at(-1) ?? '') ^ 1];

export const HOSTILE_JWTS: readonly HostileJwt[] = [
  ...['none', 'None', 'NONE', 'nOnE'].flatMap((alg): HostileJwt[] => [
    [`alg ${alg} without a signature`, `${base64url({ ...HEADER, alg })}.${payload}.`, /not three non-empty parts/],
    [`alg ${alg} with a signature`, signed({ ...HEADER, alg }, CLAIMS), /the alg is not one/],
  ]),
  ['HS256 with the public key in PEM', hmacSigned(HS, CLAIMS, spki.pem), /the alg is not one/],
  ['HS256 with the public key in DER', hmacSigned(HS, CLAIMS, spki.der), /the alg is not one/],
  ['HS256 with the public key as JWK', hmacSigned(HS, CLAIMS, jwkText), /the alg is not one/],
  [
    'an embedded jwk of its signer',
    signed({ ...HEADER, kid: 'x', jwk: jwkOf(foreign, {}) }, CLAIMS, foreign.privateKey),
    /the kid is not a key/,
  ],
  [
    'an embedded jwk and a known kid',
    signed({ ...HEADER, jwk: jwkOf(foreign, {}) }, CLAIMS, foreign.privateKey),
    /the signature is not/,
  ],
  ['a jku', signed({ ...HEADER, kid: 'x', jku: evil }, CLAIMS, foreign.privateKey), /the kid is not a key/],
  ['an x5u', signed({ ...HEADER, kid: 'x', x5u: evil }, CLAIMS, foreign.privateKey), /the kid is not a key/],
  ['an x5c', signed({ ...HEADER, x5c: ['MIIB'] }, CLAIMS, foreign.privateKey), /the signature is not/],
  ['b64 false', signed({ ...HEADER, b64: false }, CLAIMS), /has b64/],
  ['b64 false and crit', signed({ ...HEADER, b64: false, crit: ['b64'] }, CLAIMS), /has crit/],
  ['an unknown crit', signed({ ...HEADER, crit: ['exp'] }, CLAIMS), /has crit/],
  ['an empty crit', signed({ ...HEADER, crit: [] }, CLAIMS), /has crit/],
  ['a JWE', `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`, /encrypted/],
  [
    'an algorithm of the same key that is not configured',
    signed({ ...HEADER, alg: 'RS512' }, CLAIMS, rsa.privateKey, 'sha512'),
    /the alg is not one/,
  ],
  ['ES256 named for an RSA key', signed({ ...HEADER, alg: 'ES256' }, CLAIMS, ec.privateKey), /the kid is not a key/],
  ['RS256 named for an EC key', signed({ ...HEADER, kid: 'ec' }, CLAIMS), /the kid is not a key/],
  ["another signer under the issuer's kid", signed(HEADER, CLAIMS, foreign.privateKey), /the signature is not/],
  [
    'no kid where several keys fit',
    signed({ alg: 'ES256' }, CLAIMS, foreign.privateKey),
    /the signature is not|the kid is not/,
  ],
  ['an unknown kid', signed({ ...HEADER, kid: 'other' }, CLAIMS), /the kid is not a key/],
  ['a kid that is a number', signed({ ...HEADER, kid: 1 }, CLAIMS), /the kid is not a string/],
  ['a typ for another purpose', signed({ ...HEADER, typ: 'logout+jwt' }, CLAIMS), /the typ is not/],
  ['no alg', signed({ kid: 'rsa' }, CLAIMS), /no alg/],
  ['no aud', signed(HEADER, without('aud')), /the aud/],
  ['another aud', signed(HEADER, { ...CLAIMS, aud: 'other' }), /none of our audiences/],
  ['an aud that contains ours', signed(HEADER, { ...CLAIMS, aud: `${AUDIENCE}-evil` }), /none of our audiences/],
  ['a list of other auds', signed(HEADER, { ...CLAIMS, aud: ['a', 'b'] }), /none of our audiences/],
  ['an aud that is a number', signed(HEADER, { ...CLAIMS, aud: 1 }), /the aud/],
  ['an aud list with a number', signed(HEADER, { ...CLAIMS, aud: [AUDIENCE, 1] }), /the aud/],
  ['an empty aud', signed(HEADER, { ...CLAIMS, aud: [] }), /the aud/],
  ['no exp', signed(HEADER, without('exp')), /the exp is missing/],
  ['an exp in text', signed(HEADER, { ...CLAIMS, exp: String(CLAIMS.exp) }), /the exp is missing or not a number/],
  [
    'an exp of 1e400',
    signed(HEADER, json.replace(`"exp":${CLAIMS.exp}`, '"exp":1e400')),
    /the exp is missing or not a number/,
  ],
  ['an exp that has passed by more than the tolerance', signed(HEADER, { ...CLAIMS, exp: seconds - 30 }), /expired/],
  ['an iat in the future', signed(HEADER, { ...CLAIMS, iat: seconds + 31 }), /the iat is in the future/],
  ['an iat in text', signed(HEADER, { ...CLAIMS, iat: 'now' }), /the iat is not a number/],
  ['an nbf in the future', signed(HEADER, { ...CLAIMS, nbf: seconds + 31 }), /the nbf is in the future/],
  ['sub twice', withRaw('"sub":"admin"'), /the same key twice/],
  ['iss twice', withRaw(`"iss":"${ISSUER}"`), /the same key twice/],
  ['sub twice, once with an escape', withRaw('"\\u0073ub":"admin"'), /the same key twice/],
  ['a key twice deep inside', withRaw('"x":[{"a":{"b":1,"b":2}}]'), /the same key twice/],
  ['alg twice', signed('{"alg":"RS256","kid":"rsa","alg":"RS256"}', CLAIMS), /the same key twice/],
  ['SUB beside sub', withRaw('"SUB":"admin"'), /in other letters/],
  ['an empty sub', signed(HEADER, { ...CLAIMS, sub: '' }), /the sub/],
  ['no sub', signed(HEADER, without('sub')), /the sub/],
  ['a sub that is a number', signed(HEADER, { ...CLAIMS, sub: 1 }), /the sub/],
  ['a sub with a line break', signed(HEADER, { ...CLAIMS, sub: 'a\nb' }), /the sub is not plain text/],
  ['a sub of 1,025 characters', signed(HEADER, { ...CLAIMS, sub: 'a'.repeat(1025) }), /the sub is not plain text/],
  ['an unknown iss', signed(HEADER, { ...CLAIMS, iss: 'https://evil.example' }), /the iss is not/],
  ['an iss with a slash more', signed(HEADER, { ...CLAIMS, iss: `${ISSUER}/` }), /the iss is not/],
  ['an iss in other letters', signed(HEADER, { ...CLAIMS, iss: 'https://IDP.example' }), /the iss is not/],
  ['an iss that is a list', signed(HEADER, { ...CLAIMS, iss: [ISSUER] }), /the iss is not/],
  ['no iss', signed(HEADER, without('iss')), /the iss is not/],
  ['a byte order mark', signed(HEADER, `\ufeff${json}`), /not valid JSON/],
  ['something after the JSON', signed(HEADER, `${json} x`), /not valid JSON/],
  ['a payload that is a list', signed(HEADER, '[]'), /not a JSON object/],
  ['a payload that is null', signed(HEADER, 'null'), /not a JSON object/],
  [
    'a payload that is not UTF-8',
    `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
    /not UTF-8/,
  ],
  [
    'spare bits of the signature set',
    `${head}.${payload}.${signature.slice(0, -1)}${spare}`,
    /the signature is not canonical base64url/,
  ],
  ['padding', `${head}.${payload}.${signature}=`, /not canonical base64url/],
  ['base64 instead of base64url', `${head}.${payload}.${signature.slice(0, -2)}+/`, /not canonical base64url/],
  ['two parts', `${head}.${payload}`, /not three non-empty parts/],
  ['four parts', `${good}.x`, /not three non-empty parts/],
  ['a dot at the end', `${good}.`, /not three non-empty parts/],
  ['an empty payload', `${head}..${signature}`, /not three non-empty parts/],
  [
    '16 KiB and one byte',
    signed(HEADER, { ...CLAIMS, pad: 'a'.repeat(16 * 1024) }).slice(0, 16 * 1024 + 1),
    /longer than 16384/,
  ],
  ['no JWT at all', 'hello', /not three non-empty parts/],
];
