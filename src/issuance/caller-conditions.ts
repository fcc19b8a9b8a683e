import { type Caller, claimAt, type JsonValue } from './caller.ts';
import { compileSubjectGlob } from './subject-glob.ts';

/** What a claim is compared with. */
export type ClaimScalar = string | number | boolean;

/** Which callers of one issuer a grant, or an auditor's, is for. Every condition that is there must hold. */
export type CallerConditions = {
  readonly issuer: string;
  readonly subject?: string | undefined;
  readonly subjectGlob?: string | undefined;
  /** Dotted path to scalar. All of them must hold: the claim equals the scalar, or is a list that contains it. */
  readonly claims?: Readonly<Record<string, ClaimScalar>> | undefined;
};

/**
 * Compiles conditions once, at start.
 *
 * @param what names them in the error, as `grant api`
 * @throws {Error} for conditions that every caller of the issuer would meet. The configuration check reports those with
 *   their place; this is the arm behind it that still refuses.
 */
export function compileCallerConditions(conditions: CallerConditions, what: string): (caller: Caller) => boolean {
  const { issuer, subject, subjectGlob } = conditions;
  const claims = Object.entries(conditions.claims ?? {});
  if (subject === undefined && subjectGlob === undefined && claims.length === 0) {
    throw new Error(`${what} names neither a subject nor a claim`);
  }
  const globMatches = subjectGlob === undefined ? undefined : compileSubjectGlob(subjectGlob);
  return (caller) =>
    caller.issuer === issuer &&
    (subject === undefined || caller.subject === subject) &&
    (globMatches === undefined || globMatches(caller.subject)) &&
    claims.every(([path, expected]) => holds(claimAt(caller.claims, path), expected));
}

function holds(claim: JsonValue | undefined, expected: ClaimScalar): boolean {
  return Array.isArray(claim) ? claim.includes(expected) : claim === expected;
}
