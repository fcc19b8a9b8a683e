import type { ConfigPath, Finding } from './config-problem.ts';
import { duplicates } from './duplicates.ts';
import { suggest } from './nearest.ts';
import { knownIssuerNames, type Parts } from './parts.ts';

/** Checks that policy tests name issuers that there are, and themselves once. Databases and users may be unknown: so are those of a refusal. */
export function checkPolicyTests({ issuers, policyTests }: Parts): Finding[] {
  const known = knownIssuerNames(issuers);
  const errors = duplicates(policyTests.map(({ name }) => name)).map(({ index, first, value }): Finding => {
    const message = `policyTests[${index}] has the name ${value}, and so has policyTests[${first}].`;
    return { path: ['policyTests', index, 'name'], message, mend: 'Give each its own name.' };
  });
  for (const [index, { issuer }] of policyTests.entries()) {
    if (issuer === null || known?.has(issuer) !== false) continue;
    const path: ConfigPath = ['policyTests', index, 'issuer'];
    const message = `policyTests[${index}].issuer names ${issuer}, which is no issuer.`;
    errors.push({ path, message, mend: suggest(issuer, [...known], 'in issuers') });
  }
  return errors;
}
