import { compactVerify } from 'jose';
import type { Caller } from '../issuance/caller.ts';
import { keepClaimsAt } from '../issuance/keep-claims.ts';
import { accept, type Decided, refuse } from '../issuance/refusal.ts';
import { checkClaims } from './check-claims.ts';
import { checkHeader } from './check-header.ts';
import type { IssuerKeySet } from './issuer-key-set.ts';
import { MalformedJwt, parseJws } from './parse-jws.ts';

/** One issuer whose JWTs are accepted. */
export type TrustedIssuer = {
  readonly name: string;
  /** Compared with `iss` exactly, character by character. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly clockToleranceMs: number;
  readonly keySet: IssuerKeySet;
};

/**
 * Makes the function that verifies a bearer. `iss` only selects among the configured issuers; nothing in a token makes
 * us fetch anything. Every defect is the one refusal `token_invalid`, its reason for the operator's eyes.
 *
 * @param keepClaims the claims, by dotted path, that audit records keep.
 */
export function createVerifyCaller(
  issuers: readonly TrustedIssuer[],
  keepClaims: readonly string[] = [],
): (authorization: readonly string[], now: number) => Promise<Decided<Caller>> {
  const byUrl = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  return async (authorization, now) => {
    const [value, ...more] = authorization;
    if (more.length > 0) {
      return refuse({ reason: 'authorization_repeated', detail: 'several Authorization headers' });
    }
    const token = value === undefined ? undefined : /^bearer +([^\s,]+)$/i.exec(value.trim())?.[1];
    if (token === undefined) {
      return refuse({
        reason: 'token_missing',
        detail: value === undefined ? 'no Authorization header' : 'not a bearer token',
      });
    }
    try {
      return await verify(token, byUrl, keepClaims, now);
    } catch (error) {
      if (error instanceof MalformedJwt) return invalid(`the token is malformed: ${error.message}`);
      throw error;
    }
  };
}

async function verify(
  token: string,
  byUrl: ReadonlyMap<string, TrustedIssuer>,
  keepClaims: readonly string[],
  now: number,
): Promise<Decided<Caller>> {
  const { header, payload } = parseJws(token);
  const checked = checkHeader(header);
  if (typeof checked === 'string') return invalid(checked);
  const issuer = typeof payload['iss'] === 'string' ? byUrl.get(payload['iss']) : undefined;
  if (!issuer) return invalid('the iss is not a configured issuer');
  const { algorithm, kid } = checked;
  if (!issuer.algorithms.includes(algorithm)) return invalid(`the alg is not one that issuer ${issuer.name} may use`);
  const claims = checkClaims(payload, issuer, now);
  if (typeof claims === 'string') return invalid(`token of issuer ${issuer.name}: ${claims}`);
  const key = await issuer.keySet.find(kid, algorithm);
  if (!key) return invalid(`the kid is not a key of issuer ${issuer.name} for this alg`);
  try {
    await compactVerify(token, key.key, { algorithms: [algorithm] });
  } catch {
    return invalid(`the signature is not by the key of issuer ${issuer.name}`);
  }
  const { subject, expiresAt } = claims;
  const kept = keepClaimsAt(payload, keepClaims);
  return accept({ issuer: issuer.name, subject, claims: payload, keptClaims: kept, expiresAt });
}

function invalid(detail: string): Decided<Caller> {
  return refuse({ reason: 'token_invalid', detail });
}
