import type { Caller } from '../issuance/caller.ts';
import type { Explanation, GrantExplanation } from '../issuance/explain.ts';
import { printable } from './printable.ts';

/** Longer values are cut. Characters. */
const LONGEST = 120;

export type Explained = {
  readonly caller: Caller;
  /** What of the service's own checks was not or could not be made here, one sentence each. */
  readonly notes: readonly string[];
  readonly explanation: Explanation;
};

/**
 * An explanation for people: the decision, then the grants, those that applied first.
 *
 * @param all also the grants in which nothing but the issuer is the caller's
 */
export function explanationLines({ caller, notes, explanation }: Explained, all: boolean): string[] {
  const shown = explanation.grants.filter((grant) => all || isNear(grant));
  const ordered = [...shown.filter(({ applies }) => applies), ...shown.filter(({ applies }) => !applies)];
  const left = explanation.grants.length - shown.length;
  return [
    `Caller: ${caller.subject} of issuer ${caller.issuer}`,
    ...notes,
    decisionLine(explanation),
    ...(explanation.observed.length === 0 ? [] : [`Observing only: ${explanation.observed.join(', ')}`]),
    ...ordered.flatMap((grant) => ['', ...grantLines(grant)]),
    ...(left === 0
      ? []
      : ['', `${left} more ${left === 1 ? 'grant is' : 'grants are'} for other callers; --all shows them.`]),
  ].map(printable);
}

function decisionLine({ decided }: Explanation): string {
  if (!decided.ok) return `Decision: refused, ${decided.refusal.detail}`;
  const { database, user, endpoint, grant } = decided.value;
  return `Decision: issued, ${user} on ${database.name} at ${endpoint.name} by grant ${grant}`;
}

/** A grant that applies, or that the caller meets in more than its issuer. */
function isNear({ applies, conditions }: GrantExplanation): boolean {
  return applies || conditions.slice(0, 2).every(({ verdict }) => verdict !== 'fails');
}

function grantLines({ name, mode, effect, applies, concerns, conditions, claimMistakes }: GrantExplanation): string[] {
  const verb = { allow: 'allows', deny: 'denies' }[effect];
  const says = applies
    ? `applies, and ${concerns ? `${verb} this` : `${verb} something else`}`
    : `does not apply; it ${verb} ${concerns ? 'this' : 'something else'}`;
  return [
    `grant ${name}${mode === 'observe' ? ' (observes only)' : ''}: ${says}`,
    ...conditions.map(({ verdict, text, given }) => `  ${verdict.padEnd(11)} ${text}${differs(verdict, given)}`),
    ...claimMistakes.map((mistake) => `  no user     ${mistake}`),
  ];
}

type Given = GrantExplanation['conditions'][number]['given'];

function differs(verdict: string, given: Given): string {
  if (verdict !== 'fails' || given === null) return '';
  if (given.value === undefined) return ' (there is none)';
  const text = JSON.stringify(given.value);
  return ` (it is ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text})`;
}

/** An explanation for programs. */
export function explanationDocument({ caller, notes, explanation }: Explained): object {
  const { decided, observed, grants } = explanation;
  return {
    issuer: caller.issuer,
    subject: caller.subject,
    notes,
    outcome: decided.ok ? 'issued' : 'refused',
    ...(decided.ok
      ? {
          database: decided.value.database.name,
          user: decided.value.user,
          endpoint: decided.value.endpoint.name,
          grant: decided.value.grant,
        }
      : { reason: decided.refusal.reason, detail: decided.refusal.detail }),
    observed,
    grants: grants.map(({ conditions, claimMistakes, ...grant }) => ({
      ...grant,
      conditions: conditions.map(({ text, verdict, given }) => ({ text, verdict, given: given?.value ?? null })),
      claim_mistakes: claimMistakes,
    })),
  };
}
