import { csvHeader, csvRow } from '../issuance/audit-csv.ts';
import type { AuditPage } from '../issuance/audit-query.ts';
import type { PublishedRecord } from '../issuance/published-record.ts';
import type { AuditFormat } from './audit-schemas.ts';

/** A page of records as an answer. The stored lines go into JSON and NDJSON as they are: no byte of a record changes. */
export function renderAuditPage(
  { events, next }: AuditPage,
  format: AuditFormat,
): { readonly contentType: string; readonly body: string } {
  switch (format) {
    case 'json':
      return {
        contentType: 'application/json',
        body: `{"events":[${events.join(',')}],"next":${JSON.stringify(next)}}`,
      };
    case 'ndjson':
      return { contentType: 'application/x-ndjson', body: events.map((line) => `${line}\n`).join('') };
    case 'csv':
      return { contentType: 'text/csv; charset=utf-8; header=present', body: csvHeader() + events.map(row).join('') };
  }
}

function row(line: string): string {
  const record: PublishedRecord = JSON.parse(line);
  return csvRow(record);
}
