import { hash } from 'node:crypto';
import type { AuditPage, AuditQuery } from './audit-query.ts';

/** A cursor of more characters is recorded as its SHA-256. */
const LONGEST_CURSOR = 100;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a query asks for, as the record of the reading says it: compact JSON. */
export function auditQueryText({ filter, limit, cursor }: AuditQuery, format: string): string {
  const { from, to, ...rest } = filter;
  return JSON.stringify({ from: instant(from), to: instant(to), ...rest, limit, format, ...cursorFacts(cursor) });
}

/**
 * The text of a query with what was shown for it: how many records, the ids of the first and of the last one. What was
 * asked for does not tell: anybody can make up a cursor, and reach any record with it.
 */
export function shownPageText(queryText: string, { events }: Pick<AuditPage, 'events'>): string {
  const asked: object = JSON.parse(queryText);
  return JSON.stringify({ ...asked, records: events.length, first: idIn(events[0]), last: idIn(events.at(-1)) });
}

function instant(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

function cursorFacts(cursor: string | undefined): object {
  if (cursor === undefined) return {};
  return cursor.length <= LONGEST_CURSOR ? { cursor } : { cursor_sha256: hash('sha256', cursor) };
}

/** Null for a line that somebody changed so that it has none: it is shown all the same. */
function idIn(line: string | undefined): string | null | undefined {
  if (line === undefined) return undefined;
  try {
    const { id }: { readonly id?: unknown } = JSON.parse(line);
    return typeof id === 'string' && UUID.test(id) ? id : null;
  } catch {
    return null;
  }
}
