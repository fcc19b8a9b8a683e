import type { Claims } from '../issuance/caller.ts';

/** What an issuer's tokens are checked against. */
export type ClaimRules = { readonly audiences: readonly string[]; readonly clockToleranceMs: number };

const REGISTERED: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'cnf']);
const MAX_SUBJECT_LENGTH = 1024;

/** The checked claims, or one phrase that says why the token is refused. */
export type CheckedClaims = { readonly subject: string; readonly expiresAt: number };

/**
 * Checks the claims of RFC 7519 §4.1 that jose leaves alone or reads leniently: `exp` must be there and finite, `iat`
 * must not be in the future, `sub` must be a non-empty string, and no claim may differ from a registered one in case
 * only, because case-insensitive parsers would read it instead.
 *
 * @param now milliseconds since the epoch
 */
export function checkClaims(claims: Claims, rules: ClaimRules, now: number): CheckedClaims | string {
  for (const name of Object.keys(claims)) {
    const lower = name.toLowerCase();
    if (name !== lower && REGISTERED.has(lower)) return `the claim ${lower} is there in other letters too`;
  }
  const { sub, aud, exp } = claims;
  if (typeof sub !== 'string' || sub === '') return 'the sub is not a non-empty string';
  if (sub.length > MAX_SUBJECT_LENGTH || !sub.isWellFormed() || /\p{Cc}/u.test(sub)) return 'the sub is not plain text';
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((audience) => typeof audience === 'string'))
    return 'the aud is not a string or a list of strings';
  if (!audiences.some((audience) => rules.audiences.includes(audience))) return 'the aud names none of our audiences';
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'the exp is missing or not a number';
  if (exp * 1000 + rules.clockToleranceMs <= now) return 'it has expired';
  for (const name of ['nbf', 'iat']) {
    const time = claims[name];
    if (time === undefined) continue;
    if (typeof time !== 'number' || !Number.isFinite(time)) return `the ${name} is not a number`;
    if (time * 1000 - rules.clockToleranceMs > now) return `the ${name} is in the future`;
  }
  return { subject: sub, expiresAt: exp * 1000 };
}
