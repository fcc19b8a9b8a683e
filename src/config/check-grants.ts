import type { CompileCondition } from './cel-condition.ts';
import { checkAllow } from './check-allow.ts';
import { createCallerCheck } from './check-callers.ts';
import { createDenyCheck } from './check-deny.ts';
import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';
import { duplicates } from './duplicates.ts';
import type { Parts } from './parts.ts';

export type GrantSurroundings = {
  readonly compileCondition: CompileCondition;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** Checks what grants name: issuers, databases, endpoints and users. In time that grows with their number alone. */
export function checkGrants(
  { issuers, databases, grants }: Parts,
  { compileCondition, now }: GrantSurroundings,
): Findings {
  if (grants === null) return { errors: [], warnings: [] };
  if (grants.length === 0) {
    const mend = 'Add a grant for each caller that may connect.';
    const message = 'There is no grant: every request for a token is refused.';
    return { errors: [], warnings: [{ path: ['grants'], message, mend }] };
  }
  const errors = duplicates(grants.map(({ name }) => name)).map(({ index, first, value }): Finding => {
    const message = `grants[${index}] has the name ${value}, and so has grants[${first}].`;
    return { path: ['grants', index, 'name'], message, mend: 'Give each grant its own name: audit records hold it.' };
  });
  const warnings: Finding[] = [];
  const found = { errors, warnings };
  const checkCaller = createCallerCheck(issuers, compileCondition);
  const checkDeny = databases === null ? undefined : createDenyCheck(databases, grants);
  for (const [index, grant] of grants.entries()) {
    const path: ConfigPath = ['grants', index];
    checkCaller(path, grant, found);
    if (typeof grant.notAfter === 'number' && grant.notAfter <= now) warnings.push(ended([...path, 'notAfter']));
    for (const [position, item] of (grant.allow ?? []).entries()) {
      if (item !== null && databases !== null) {
        errors.push(...checkAllow([...path, 'allow', position], item, databases));
      }
    }
    for (const [position, item] of (grant.deny ?? []).entries()) {
      if (item !== null) checkDeny?.([...path, 'deny', position], item, found);
    }
  }
  return found;
}

function ended(path: ConfigPath): Finding {
  const mend = 'Remove the grant, or write a later end.';
  return { path, message: `${formatPath(path)} is past: the grant has no effect any more.`, mend };
}
