import { type ConfigPath, type Finding, type Findings } from './config-problem.ts';
import { duplicates } from './duplicates.ts';
import { suggest } from './nearest.ts';
import { knownIssuerNames, type Parts } from './parts.ts';

/** Checks what auditors name: issuers, and themselves once. */
export function checkAuditors({ issuers, auditors }: Parts): Findings {
  const listed = auditors ?? [];
  const known = knownIssuerNames(issuers);
  const errors = duplicates(listed.map(({ name }) => name)).map(({ index, first, value }): Finding => {
    const message = `auditors[${index}] has the name ${value}, and so has auditors[${first}].`;
    return { path: ['auditors', index, 'name'], message, mend: 'Give each its own name: audit records hold it.' };
  });
  const warnings: Finding[] = [];
  for (const [index, { issuer, subject }] of listed.entries()) {
    const path: ConfigPath = ['auditors', index];
    if (issuer !== null && known?.has(issuer) === false) {
      const message = `auditors[${index}].issuer names ${issuer}, which is no issuer.`;
      errors.push({ path: [...path, 'issuer'], message, mend: suggest(issuer, [...known], 'in issuers') });
    }
    if (subject?.includes('*') === true) {
      const message = `auditors[${index}].subject holds a *, which matches only itself here.`;
      warnings.push({ path: [...path, 'subject'], message, mend: 'Write subjectGlob if you mean a pattern.' });
    }
  }
  return { errors, warnings };
}
