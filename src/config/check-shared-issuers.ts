import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';
import { type Limit, PERSONAL_TENANT, personalMicrosoft, SHARED_ISSUERS, type SharedIssuer } from './shared-issuers.ts';

/**
 * Checks grants and auditors of issuers where anybody can get a token: each must be limited to somebody there. Without
 * that, the audience is all that stands between a stranger and the database, and everybody can ask for any audience.
 */
export function checkSharedIssuers({ issuers, grants, auditors }: Parts): Findings {
  const shared = new Map<string, SharedIssuer>();
  for (const { name, issuer } of issuers ?? []) {
    const known = name === null || issuer === null ? undefined : sharedIssuerOf(issuer);
    if (known !== undefined && name !== null) shared.set(name, known);
  }
  const errors = checkTenants(issuers);
  const warnings: Finding[] = [];
  function check(path: ConfigPath, rule: Rule): void {
    const issuer = rule.issuer === null ? undefined : shared.get(rule.issuer);
    if (issuer === undefined) return;
    const found = checkRule(path, rule, issuer);
    errors.push(...found.errors);
    warnings.push(...found.warnings);
  }
  for (const [index, grant] of (grants ?? []).entries()) {
    // A deny may be as wide as it likes.
    if ((grant.allow ?? []).length > 0) check(['grants', index], grant);
  }
  for (const [index, auditor] of (auditors ?? []).entries()) check(['auditors', index], auditor);
  return { errors, warnings };
}

type Rule = Pick<NonNullable<Parts['auditors']>[number], 'issuer' | 'subject' | 'subjectGlob' | 'claims' | 'namespace'>;

const NOTHING: Findings = { errors: [], warnings: [] };

function checkRule(
  path: ConfigPath,
  { subject, subjectGlob, claims, namespace }: Rule,
  issuer: SharedIssuer,
): Findings {
  // What the schema refuses is told already: a part by itself, no condition at all, both kinds of subject.
  if (subject === null || subjectGlob === null || claims === null || namespace === null) return NOTHING;
  const conditions = [subject ?? subjectGlob, namespace, ...Object.keys(claims ?? {})];
  if (conditions.every((condition) => condition === undefined)) return NOTHING;
  if (subject !== undefined && subjectGlob !== undefined) return NOTHING;
  const place = formatPath(path);
  const { called, whom, mend, digits, ids } = issuer;
  const errors: Finding[] = [];
  for (const id of digits ? ids : []) {
    const value = claims?.[id];
    if (typeof value !== 'number') continue;
    const message = `${place}.claims.${id} is a number, and ${called} writes its ids as text.`;
    errors.push({ path: [...path, 'claims', id], message, mend: `Put it in quotes: "${value}".` });
  }
  const bySubject = subjectLimit(subject, subjectGlob, issuer);
  if (bySubject === 'open') {
    const message = `${place}.subjectGlob leaves the owner open, and anybody can have a token of ${called}.`;
    errors.push({
      path: [...path, 'subjectGlob'],
      message,
      mend: 'Write the owner as it is; a * may stand behind it.',
    });
    return { errors, warnings: [] };
  }
  const limits = new Set([bySubject, claimsLimit(claims ?? {}, issuer)]);
  if (limits.has('id')) return { errors, warnings: [] };
  if (!limits.has('name')) {
    const message = `${place} is not limited to ${whom}, and anybody can have a token of ${called}.`;
    return { errors: [...errors, { path, message, mend }], warnings: [] };
  }
  const message = `${place} is limited by a name only, which somebody else may take when it becomes free.`;
  return { errors, warnings: [{ path, message, mend }] };
}

function subjectLimit(subject: string | undefined, glob: string | undefined, issuer: SharedIssuer): Limit {
  if (subject !== undefined) return issuer.subject(subject, false);
  return glob === undefined ? 'nobody' : issuer.subject(glob, true);
}

function claimsLimit(claims: NonNullable<Rule['claims']>, { ids, names }: SharedIssuer): Limit {
  const has = (claim: string) => Object.hasOwn(claims, claim);
  if (ids.some(has)) return 'id';
  return names.some((claim) => has(claim) && (claim !== 'email' || claims['email_verified'] === true))
    ? 'name'
    : 'nobody';
}

function sharedIssuerOf(issuer: string): SharedIssuer | undefined {
  const { hostname, pathname } = new URL(issuer);
  if (isMicrosoft(hostname)) return pathname.split('/')[1] === PERSONAL_TENANT ? personalMicrosoft : undefined;
  return SHARED_ISSUERS.find(({ hosts }) => hosts.includes(hostname));
}

const MICROSOFT_HOSTS: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'sts.windows.net',
]);

function isMicrosoft(hostname: string): boolean {
  return MICROSOFT_HOSTS.has(hostname);
}

/** `common`, `organizations`, `consumers` and domain names sign people in, but a token names its tenant by id. */
function checkTenants(issuers: Parts['issuers']): Finding[] {
  return (issuers ?? []).flatMap(({ issuer }, index) => {
    if (issuer === null || !isMicrosoft(new URL(issuer).hostname)) return [];
    if (/^\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\/|$)/.test(new URL(issuer).pathname)) return [];
    const path = ['issuers', index, 'issuer'];
    const message = `${formatPath(path)} names no tenant by its id, so no token has this iss.`;
    const mend = "Write the tenant's id: https://login.microsoftonline.com/TENANT-ID/v2.0.";
    return [{ path, message, mend }];
  });
}
