import type { AuditQuery } from './audit-query.ts';

/** What a query asks for, as the record of the reading says it: compact JSON, without the cursor's text. */
export function auditQueryText({ filter, limit }: AuditQuery, format: string): string {
  const { from, to, ...rest } = filter;
  return JSON.stringify({ from: instant(from), to: instant(to), ...rest, limit, format });
}

function instant(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
