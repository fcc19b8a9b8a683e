import type { CompileCondition } from './cel-condition.ts';
import { createCallerCheck } from './check-callers.ts';
import type { Finding, Findings } from './config-problem.ts';
import { duplicates } from './duplicates.ts';
import type { Parts } from './parts.ts';

/** Checks what auditors name: issuers, and themselves once. */
export function checkAuditors({ issuers, auditors }: Parts, compileCondition: CompileCondition): Findings {
  const listed = auditors ?? [];
  const errors = duplicates(listed.map(({ name }) => name)).map(({ index, first, value }): Finding => {
    const message = `auditors[${index}] has the name ${value}, and so has auditors[${first}].`;
    return { path: ['auditors', index, 'name'], message, mend: 'Give each its own name: audit records hold it.' };
  });
  const warnings: Finding[] = [];
  const checkCaller = createCallerCheck(issuers, compileCondition);
  for (const [index, auditor] of listed.entries()) checkCaller(['auditors', index], auditor, { errors, warnings });
  return { errors, warnings };
}
