import type { StoreReader } from '../audit/store.ts';
import type { AuditFilter } from '../issuance/audit-query.ts';
import type { PublishedRecord } from '../issuance/published-record.ts';

/** Records of a page: what is in memory at a time. */
const PAGE = 500;

/** The lines of all records of a filter, newest first, at most `limit`; page by page. */
export async function* pagesOf(
  reader: Pick<StoreReader, 'page'>,
  filter: AuditFilter,
  limit: number,
): AsyncGenerator<readonly string[]> {
  let cursor: string | undefined;
  for (let left = limit; left > 0; ) {
    const { events, next } = await reader.page({ filter, limit: Math.min(PAGE, left), cursor });
    if (events.length > 0) yield events;
    if (next === null) return;
    left -= events.length;
    cursor = next;
  }
}

export function recordIn(line: string): PublishedRecord {
  return JSON.parse(line);
}
