import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';

/** Checks that grants and auditors with a namespace are for issuers that have such callers. */
export function checkNamespaces({ issuers, grants, auditors }: Parts): Finding[] {
  const others = new Set((issuers ?? []).flatMap(({ name, kubernetes }) => (kubernetes === undefined ? [name] : [])));
  const errors: Finding[] = [];
  function check(path: ConfigPath, { issuer, namespace }: Rule): void {
    if (typeof namespace !== 'string' || issuer === null || !others.has(issuer)) return;
    const message = `${formatPath(path)}.namespace can match no caller: the issuer ${issuer} is not set up as a cluster.`;
    const mend = 'Add kubernetes: {} to that issuer, or name another one.';
    errors.push({ path: [...path, 'namespace'], message, mend });
  }
  for (const [index, grant] of (grants ?? []).entries()) check(['grants', index], grant);
  for (const [index, auditor] of (auditors ?? []).entries()) check(['auditors', index], auditor);
  return errors;
}

type Rule = Pick<NonNullable<Parts['auditors']>[number], 'issuer' | 'namespace'>;
