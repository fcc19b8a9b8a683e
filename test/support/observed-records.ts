import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from './audit-records.ts';

const START = Date.UTC(2026, 0, 1);
const FREEZE = 'freeze-december';
const REPORTS = 'reports-for-bi';
const refused = { outcome: 'refused', reason: 'not_granted', grant: null, tokenFingerprint: null } as const;

/** Records with and without the two grants in mode `observe` that docs/reading-the-audit.md asks about, one a second. */
export const OBSERVED_RECORDS: readonly AuditRecord[] = [
  { observed: [FREEZE] },
  { observed: ['other', FREEZE] },
  { observed: [FREEZE, REPORTS], subject: 'bob', user: 'admin' },
  { observed: [REPORTS] },
  { observed: ['other'] },
  { observed: null },
  { ...refused, observed: [REPORTS], subject: 'bi' },
  { ...refused, observed: [REPORTS, 'other'], subject: 'bi', repeated: 30 },
  { ...refused, observed: [FREEZE], subject: 'bi' },
  { ...refused, observed: [REPORTS], subject: 'bi', grant: 'no-bi' },
  { ...refused, observed: [REPORTS], subject: 'bi', reason: 'rate_limited', grant: 'bi' },
  { ...refused, observed: null, subject: 'bi' },
].map((changes: Partial<AuditRecord>, at) => auditRecord({ time: START + at * 1_000, ...changes }));

/** Which logins would change, and when each was last asked for: seconds since the first record. */
export const CHANGED_LOGINS = [
  ['would be issued', REPORTS, 'cluster', 'bi', 'orders', 'app_rw', 31, 7],
  ['would be refused', FREEZE, 'cluster', 'bob', 'orders', 'admin', 1, 2],
  ['would be refused', FREEZE, 'cluster', 'system:serviceaccount:payments:api', 'orders', 'app_rw', 2, 1],
] as const;

/** A row of the documented query, in the form of `CHANGED_LOGINS`. */
export function changedLogin(row: Readonly<Record<string, unknown>>): unknown[] {
  const { change, observing, issuer, subject, database, database_user: user, requests, latest } = row;
  const time = latest instanceof Date ? latest.getTime() : Date.parse(String(latest));
  return [change, observing, issuer, subject, database, user, Number(requests), (time - START) / 1_000];
}
