import type { Caller, Claims } from './caller.ts';
import { workloadOf } from './workload.ts';

/**
 * The caller that a verified JWT of these claims would be, for trying grants; nothing is verified here. A phrase says
 * why there would be none.
 */
export function claimedCaller(
  issuer: { readonly name: string; readonly kubernetes: boolean },
  claims: Claims,
): Caller | string {
  const { sub, exp } = claims;
  if (typeof sub !== 'string' || sub === '') return 'the sub is not a non-empty string';
  const workload = issuer.kubernetes ? workloadOf(claims) : null;
  if (typeof workload === 'string') return workload;
  const expiresAt = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  return { issuer: issuer.name, subject: sub, claims, workload, keptClaims: null, expiresAt };
}
