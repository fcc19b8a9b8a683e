import { authorize } from './authorize.ts';
import type { Claims } from './caller.ts';
import { claimedCaller } from './claimed-caller.ts';
import type { Circumstances } from './circumstances.ts';
import type { Grants } from './grants.ts';

/** What the grants must decide for one request. */
export type PolicyTest = {
  readonly name: string;
  readonly issuer: string;
  readonly claims: Claims;
  readonly database: string;
  readonly user: string;
  readonly endpoint?: string | undefined;
  readonly sourceAddress?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly at?: number | undefined;
  readonly expect: 'issued' | 'refused';
  /** The grant that must allow it, or deny it. */
  readonly grant?: string | undefined;
};

/** A test whose expectation is not what the grants decide. Both are as in `issued by grant api`. */
export type PolicyDifference = { readonly test: string; readonly expected: string; readonly decided: string };

/**
 * Runs policy tests against compiled grants.
 *
 * @param kubernetes the names of the issuers whose tokens are those of Kubernetes service accounts
 * @param now the time of tests that name none, milliseconds since the epoch
 */
export function runPolicyTests(
  tests: readonly PolicyTest[],
  grants: Grants,
  kubernetes: ReadonlySet<string>,
  now: number,
): readonly PolicyDifference[] {
  return tests.flatMap((test) => {
    const { outcome, grant, detail } = decide(test, grants, kubernetes, now);
    if (outcome === test.expect && (test.grant === undefined || test.grant === grant)) return [];
    const decided = `${outcome}${grant === null ? '' : ` by grant ${grant}`}${detail === null ? '' : ` (${detail})`}`;
    const expected = `${test.expect}${test.grant === undefined ? '' : ` by grant ${test.grant}`}`;
    return [{ test: test.name, expected, decided }];
  });
}

type Decision = {
  readonly outcome: 'issued' | 'refused';
  readonly grant: string | null;
  readonly detail: string | null;
};

function decide(
  { issuer, claims, database, user, endpoint, sourceAddress, at }: PolicyTest,
  grants: Grants,
  kubernetes: ReadonlySet<string>,
  now: number,
): Decision {
  const caller = claimedCaller({ name: issuer, kubernetes: kubernetes.has(issuer) }, claims);
  if (typeof caller === 'string')
    return { outcome: 'refused', grant: null, detail: `as a token of ${issuer}: ${caller}` };
  const circumstances: Circumstances = { now: at ?? now, clientAddress: sourceAddress ?? null };
  const { decided } = authorize(caller, { database, user, endpoint }, grants, circumstances);
  if (decided.ok) return { outcome: 'issued', grant: decided.value.grant, detail: null };
  const { refusal } = decided;
  const grant = refusal.reason === 'not_granted' ? (refusal.grant ?? null) : null;
  return { outcome: 'refused', grant, detail: refusal.detail };
}
