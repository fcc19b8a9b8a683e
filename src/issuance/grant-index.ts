import type { Caller } from './caller.ts';
import type { CallerConditions } from './caller-conditions.ts';

/** Finds the rules that a caller could meet, without looking at the others. */
export type GrantIndex = {
  /** Positions in the list of rules, ascending. */
  candidates(caller: Caller): readonly number[];
};

type Positions = number[];
type OfIssuer = { bySubject: Map<string, Positions>; byNamespace: Map<string, Positions>; others: Positions };

/**
 * Indexes rules by their issuer and then by the one condition that narrows most: the exact subject, which a namespace
 * with a service account is too, or the namespace. The others of an issuer are candidates for all of its callers.
 */
export function createGrantIndex(rules: readonly CallerConditions[]): GrantIndex {
  const issuers = new Map<string, OfIssuer>();
  rules.forEach((rule, position) => {
    const ofIssuer: OfIssuer = issuers.get(rule.issuer) ?? { bySubject: new Map(), byNamespace: new Map(), others: [] };
    issuers.set(rule.issuer, ofIssuer);
    const subject = subjectOf(rule);
    if (subject !== undefined) add(ofIssuer.bySubject, subject, position);
    else if (rule.namespace !== undefined) add(ofIssuer.byNamespace, rule.namespace, position);
    else ofIssuer.others.push(position);
  });
  return {
    candidates({ issuer, subject, workload }) {
      const ofIssuer = issuers.get(issuer);
      if (ofIssuer === undefined) return [];
      const ofSubject = ofIssuer.bySubject.get(subject) ?? [];
      const ofNamespace = workload === null ? [] : (ofIssuer.byNamespace.get(workload.namespace) ?? []);
      if (ofNamespace.length === 0 && ofIssuer.others.length === 0) return ofSubject;
      return [...ofSubject, ...ofNamespace, ...ofIssuer.others].sort((one, other) => one - other);
    },
  };
}

/** A verified workload's subject is made of its namespace and its name alone (`workloadOf`). */
function subjectOf({ subject, namespace, serviceAccount }: CallerConditions): string | undefined {
  if (subject !== undefined) return subject;
  return serviceAccount === undefined ? undefined : `system:serviceaccount:${String(namespace)}:${serviceAccount}`;
}

function add(positions: Map<string, Positions>, key: string, position: number): void {
  const known = positions.get(key);
  if (known) known.push(position);
  else positions.set(key, [position]);
}
