import { compileSubjectGlob } from '../issuance/subject-glob.ts';
import { networkOf } from './address-ranges.ts';
import { ConditionMistake } from './cel/mistake.ts';
import type { CompileCondition } from './cel-condition.ts';
import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import { suggest } from './nearest.ts';
import { knownIssuerNames, type Parts } from './parts.ts';

type Rule = NonNullable<Parts['auditors']>[number];

export type FoundSoFar = { readonly errors: Finding[]; readonly warnings: Finding[] };

/** Makes the check of whom a grant or an auditor is for: its issuer, its subject, its addresses and its expression. */
export function createCallerCheck(
  issuers: Parts['issuers'],
  compileCondition: CompileCondition,
): (path: ConfigPath, rule: Rule, found: FoundSoFar) => void {
  const known = knownIssuerNames(issuers);
  const checkRange = createRangeCheck();
  return (path, rule, { errors, warnings }) => {
    const { issuer, subject, sourceCidrs, when } = rule;
    if (issuer !== null && known?.has(issuer) === false) {
      const message = `${formatPath(path)}.issuer names ${issuer}, which is no issuer.`;
      errors.push({ path: [...path, 'issuer'], message, mend: suggest(issuer, [...known], 'in issuers') });
    }
    if (subject?.includes('*') === true) {
      const message = `${formatPath(path)}.subject holds a *, which matches only itself here.`;
      warnings.push({ path: [...path, 'subject'], message, mend: 'Write subjectGlob if you mean a pattern.' });
    }
    errors.push(...checkWorkload(path, rule));
    for (const [index, range] of (sourceCidrs ?? []).entries()) {
      checkRange([...path, 'sourceCidrs', index], range, { errors, warnings });
    }
    if (when !== undefined && when !== null) errors.push(...checkCondition([...path, 'when'], when, compileCondition));
  };
}

/** A subject and a service account that are two different callers: nobody is both. */
function checkWorkload(path: ConfigPath, { subject, subjectGlob, namespace, serviceAccount }: Rule): Finding[] {
  const written = subject ?? subjectGlob;
  if (typeof namespace !== 'string' || typeof written !== 'string') return [];
  const whole = typeof serviceAccount === 'string';
  const expected = `system:serviceaccount:${namespace}${whole ? `:${serviceAccount}` : ''}`;
  const part = whole ? written : written.split(':').slice(0, 3).join(':');
  const isExact = typeof subject === 'string';
  if (isExact ? part === expected : compileSubjectGlob(part)(expected)) return [];
  const place = [...path, isExact ? 'subject' : 'subjectGlob'];
  const other = whole ? `the service account ${serviceAccount} of ${namespace}` : `of the namespace ${namespace}`;
  const message = `${formatPath(place)} is not ${other}, so nobody is both.`;
  return [{ path: place, message, mend: 'Remove one of the two, or make them agree.' }];
}

/** What each range was found to be is remembered: many grants have the same. */
function createRangeCheck(): (path: ConfigPath, range: string, found: FoundSoFar) => void {
  const networks = new Map<string, string | null>();
  return (path, range, { errors, warnings }) => {
    const known = networks.get(range);
    const network = known === undefined ? (networkOf(range) ?? null) : known;
    if (known === undefined) networks.set(range, network);
    if (network !== null) {
      const [address] = range.split('/');
      const message = `${formatPath(path)} is ${range}, which begins before that address.`;
      errors.push({ path, message, mend: `Write ${network} for the range, or ${address} for one address.` });
    } else if (range.endsWith('/0')) {
      const mend = 'Remove it, or write the ranges that the callers come from.';
      warnings.push({ path, message: `${formatPath(path)} is every address.`, mend });
    }
  };
}

function checkCondition(path: ConfigPath, when: string, compileCondition: CompileCondition): Finding[] {
  try {
    compileCondition(when);
    return [];
  } catch (error) {
    if (!(error instanceof ConditionMistake)) throw error;
    return [{ path, message: `${formatPath(path)}: ${error.message}`, mend: error.mend }];
  }
}
