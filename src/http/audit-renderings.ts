import { setImmediate as turn } from 'node:timers/promises';
import { csvHeader, csvRow } from '../issuance/audit-csv.ts';
import type { AuditPage } from '../issuance/audit-query.ts';
import type { PublishedRecord } from '../issuance/published-record.ts';
import type { AuditFormat } from './audit-schemas.ts';

/** Rows of CSV made in one turn of the event loop, about half a millisecond: tokens are issued between them. */
const ROWS_A_TURN = 100;

/** A page of records as an answer. The stored lines go into JSON and NDJSON as they are: no byte of a record changes. */
export async function renderAuditPage(
  { events, next }: AuditPage,
  format: AuditFormat,
): Promise<{ readonly contentType: string; readonly body: string }> {
  switch (format) {
    case 'json':
      return {
        contentType: 'application/json',
        body: `{"events":[${events.join(',')}],"next":${JSON.stringify(next)}}`,
      };
    case 'ndjson':
      return { contentType: 'application/x-ndjson', body: events.map((line) => `${line}\n`).join('') };
    case 'csv':
      return { contentType: 'text/csv; charset=utf-8; header=present', body: csvHeader() + (await csvRows(events)) };
  }
}

async function csvRows(events: readonly string[]): Promise<string> {
  const rows: string[] = [];
  for (const [at, line] of events.entries()) {
    if (at > 0 && at % ROWS_A_TURN === 0) await turn();
    const record: PublishedRecord = JSON.parse(line);
    rows.push(csvRow(record));
  }
  return rows.join('');
}
