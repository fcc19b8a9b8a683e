import { compactVerify } from 'jose';
import { type Authenticate, bearerOf } from '../issuance/authenticate-caller.ts';
import type { Caller, Claims } from '../issuance/caller.ts';
import { keepClaimsAt } from '../issuance/keep-claims.ts';
import { accept, type Decided, refuse } from '../issuance/refusal.ts';
import { workloadOf } from '../issuance/workload.ts';
import { checkClaims } from './check-claims.ts';
import { checkConfirmation } from './check-confirmation.ts';
import { checkHeader } from './check-header.ts';
import type { IssuerKeySet } from './issuer-key-set.ts';
import { MalformedJwt, parseJws } from './parse-jws.ts';
import type { ReviewToken } from './token-review.ts';

/** One issuer whose JWTs are accepted. */
export type TrustedIssuer = {
  readonly name: string;
  /** Compared with `iss` exactly, character by character. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly clockToleranceMs: number;
  readonly keySet: IssuerKeySet;
  /** Whether its tokens are those of Kubernetes service accounts. */
  readonly kubernetes: boolean;
  /** Asks the cluster whether a verified token still holds. null: nobody is asked. */
  readonly review: ReviewToken | null;
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
): Authenticate {
  const byUrl = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  return async ({ authorization, certificateThumbprint }, now) => {
    const [value, ...more] = authorization;
    if (more.length > 0) {
      return refuse({ reason: 'authorization_repeated', detail: 'several Authorization headers' });
    }
    const token = bearerOf({ authorization });
    if (token === undefined) {
      return refuse({
        reason: 'token_missing',
        detail: value === undefined ? 'no Authorization header' : 'not a bearer token',
      });
    }
    try {
      const verified = await verify(token, byUrl, certificateThumbprint, now);
      if (typeof verified === 'string') return invalid(verified);
      return accept({ ...verified, keptClaims: keepClaimsAt(verified.claims, keepClaims) });
    } catch (error) {
      if (error instanceof MalformedJwt) return invalid(`the token is malformed: ${error.message}`);
      throw error;
    }
  };
}

/** The caller, or one phrase that says why the token is refused. */
async function verify(
  token: string,
  byUrl: ReadonlyMap<string, TrustedIssuer>,
  certificateThumbprint: string | null,
  now: number,
): Promise<Omit<Caller, 'keptClaims'> | string> {
  const { header, payload } = parseJws(token);
  const checked = checkHeader(header);
  if (typeof checked === 'string') return checked;
  const issuer = typeof payload['iss'] === 'string' ? byUrl.get(payload['iss']) : undefined;
  if (!issuer) return 'the iss is not a configured issuer';
  const { name } = issuer;
  const { algorithm, kid } = checked;
  if (!issuer.algorithms.includes(algorithm)) return `the alg is not one that issuer ${name} may use`;
  const claims = checkClaims(payload, issuer, now);
  if (typeof claims === 'string') return `token of issuer ${name}: ${claims}`;
  const workload = issuer.kubernetes ? workloadOf(payload) : null;
  if (typeof workload === 'string') return `token of issuer ${name}: ${workload}`;
  const key = await issuer.keySet.find(kid, algorithm, issuedBy(payload, issuer));
  if (!key) return `the kid is not a key of issuer ${name} for this alg`;
  try {
    await compactVerify(token, key.key, { algorithms: [algorithm] });
  } catch {
    return `the signature is not by the key of issuer ${name}`;
  }
  const unbound = checkConfirmation(payload, certificateThumbprint) ?? (await issuer.review?.(token, claims.subject));
  if (unbound !== undefined) return `token of issuer ${name}: ${unbound}`;
  const { subject, expiresAt } = claims;
  return { issuer: name, subject, claims: payload, workload, expiresAt };
}

/** The latest time of issue by our clock: `iat` may be cut to the second, and is by the issuer's clock. */
function issuedBy({ iat }: Claims, { clockToleranceMs }: TrustedIssuer): number | undefined {
  return typeof iat === 'number' ? (iat + 1) * 1000 + clockToleranceMs : undefined;
}

function invalid(detail: string): Decided<Caller> {
  return refuse({ reason: 'token_invalid', detail });
}
