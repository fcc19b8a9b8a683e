import type { Claims } from '../issuance/caller.ts';

/** What the header says that matters; all else in it, `jwk`, `jku`, `x5u` and `x5c` above all, is never used. */
export type JwsHeader = { readonly algorithm: string; readonly kid: string | undefined };

const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);

/** Reads a JWS header, or says in one phrase why the token is refused. */
export function checkHeader(header: Claims): JwsHeader | string {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') return 'the header has no alg';
  // Critical extensions must be understood or refused (RFC 7515 §4.1.11), and we understand none.
  if (Object.hasOwn(header, 'crit')) return 'the header has crit';
  if (Object.hasOwn(header, 'b64')) return 'the header has b64';
  if (kid !== undefined && typeof kid !== 'string') return 'the kid is not a string';
  // RFC 8725 §3.11: tokens made for another purpose, such as logout+jwt, are told apart by typ.
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase())))
    return 'the typ is not JWT or at+jwt';
  return { algorithm: alg, kid };
}
