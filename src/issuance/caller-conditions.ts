import { type Caller, claimAt, claimReadings, type JsonValue } from './caller.ts';
import type { Circumstances } from './circumstances.ts';
import { compileSubjectGlob } from './subject-glob.ts';

/** What a claim is compared with. */
export type ClaimScalar = string | number | boolean;

/** A condition that the configuration compiled; `text` is how it was written. */
export type CompiledCondition<Given> = {
  readonly text: string;
  /** May throw: then it cannot be told. */
  holds(given: Given): boolean;
};

/** Which callers of one issuer a grant, or an auditor's, is for. Every condition that is there must hold. */
export type CallerConditions = {
  readonly issuer: string;
  readonly subject?: string | undefined;
  readonly subjectGlob?: string | undefined;
  /** Dotted path to scalar. All of them must hold: the claim equals the scalar, or is a list that contains it. */
  readonly claims?: Readonly<Record<string, ClaimScalar>> | undefined;
  /** Of the caller's Kubernetes service account. */
  readonly namespace?: string | undefined;
  readonly serviceAccount?: string | undefined;
  /** Addresses that the request may come from. */
  readonly sourceCidrs?: CompiledCondition<string> | undefined;
  /** An expression over the caller. */
  readonly when?: CompiledCondition<Caller> | undefined;
};

/**
 * Whether a condition holds. `undecidable` is one that cannot be told: an expression that fails, a claim's path that is
 * ambiguous, an address that is not known. It never lets anybody in: what allows needs `holds`, and what denies needs
 * `fails` to stay out of the way.
 */
export type Verdict = 'holds' | 'fails' | 'undecidable';

/** One condition by itself, so that it can be told which one failed. */
export type CallerCondition = {
  /** As in the configuration: `subject: a`. */
  readonly text: string;
  /** What is compared, for explanations: undefined where the caller has none. null: no single value is. */
  readonly given: ((caller: Caller, circumstances: Circumstances) => JsonValue | undefined) | null;
  verdict(caller: Caller, circumstances: Circumstances): Verdict;
};

/**
 * Compiles conditions once, at start.
 *
 * @param what names them in the error, as `grant api`
 * @throws {Error} for conditions that every caller of the issuer would meet. The configuration check reports those with
 *   their place; this is the arm behind it that still refuses.
 */
export function compileCallerConditions(conditions: CallerConditions, what: string): readonly CallerCondition[] {
  const { issuer, subject, subjectGlob, namespace, serviceAccount, sourceCidrs, when } = conditions;
  const claims = Object.entries(conditions.claims ?? {});
  if (subject === undefined && subjectGlob === undefined && namespace === undefined && claims.length === 0) {
    throw new Error(`${what} names neither a subject nor a claim`);
  }
  if (serviceAccount !== undefined && namespace === undefined) {
    throw new Error(`${what} names a service account of any namespace`);
  }
  const compiled: CallerCondition[] = [plain('issuer', issuer, (caller) => caller.issuer)];
  if (subject !== undefined) compiled.push(plain('subject', subject, (caller) => caller.subject));
  if (subjectGlob !== undefined) {
    const matches = compileSubjectGlob(subjectGlob);
    compiled.push({
      text: `subjectGlob: ${subjectGlob}`,
      given: (caller) => caller.subject,
      verdict: (caller) => (matches(caller.subject) ? 'holds' : 'fails'),
    });
  }
  if (namespace !== undefined) {
    compiled.push(plain('namespace', namespace, ({ workload }) => workload?.namespace));
  }
  if (serviceAccount !== undefined) {
    compiled.push(plain('serviceAccount', serviceAccount, ({ workload }) => workload?.serviceAccount));
  }
  compiled.push(...claims.map(([path, expected]) => claimCondition(path, expected)));
  if (sourceCidrs !== undefined) {
    compiled.push({
      text: `sourceCidrs: ${sourceCidrs.text}`,
      given: (_, { clientAddress }) => clientAddress ?? undefined,
      verdict: (_, { clientAddress }) => (clientAddress === null ? 'undecidable' : tried(sourceCidrs, clientAddress)),
    });
  }
  if (when !== undefined) {
    compiled.push({ text: `when: ${when.text}`, given: null, verdict: (caller) => tried(when, caller) });
  }
  return compiled;
}

/** All of them together, the first that does not hold deciding. */
export function verdictOf(
  conditions: readonly CallerCondition[],
  caller: Caller,
  circumstances: Circumstances,
): Verdict {
  let verdict: Verdict = 'holds';
  for (const condition of conditions) {
    const one = condition.verdict(caller, circumstances);
    if (one === 'fails') return 'fails';
    if (one === 'undecidable') verdict = 'undecidable';
  }
  return verdict;
}

function plain(name: string, expected: string, given: (caller: Caller) => string | undefined): CallerCondition {
  return {
    text: `${name}: ${expected}`,
    given,
    verdict: (caller) => (given(caller) === expected ? 'holds' : 'fails'),
  };
}

function claimCondition(path: string, expected: ClaimScalar): CallerCondition {
  return {
    text: `claims: ${path}: ${JSON.stringify(expected)}`,
    given: ({ claims }) => claimAt(claims, path),
    verdict({ claims }) {
      const [claim, ...more] = claimReadings(claims, path);
      if (more.length > 0) return 'undecidable';
      return claim !== undefined && contains(claim, expected) ? 'holds' : 'fails';
    },
  };
}

function contains(claim: JsonValue, expected: ClaimScalar): boolean {
  return Array.isArray(claim) ? claim.includes(expected) : claim === expected;
}

function tried<Given>(condition: CompiledCondition<Given>, given: Given): Verdict {
  try {
    return condition.holds(given) ? 'holds' : 'fails';
  } catch {
    return 'undecidable';
  }
}
