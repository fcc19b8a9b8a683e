import type { PublishedRecord } from '../issuance/published-record.ts';
import { printable } from './printable.ts';

const COLUMNS: readonly { readonly title: string; readonly cell: (record: PublishedRecord) => string | null }[] = [
  { title: 'TIME', cell: ({ time }) => time },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'OUTCOME', cell: ({ outcome, repeated }) => (repeated > 1 ? `${outcome} x${repeated}` : outcome) },
  { title: 'REASON', cell: ({ reason }) => reason },
  { title: 'CALLER', cell: ({ issuer, subject }) => joined(issuer, subject) },
  { title: 'DATABASE', cell: ({ database, user }) => joined(database, user) },
  { title: 'GRANT', cell: ({ grant }) => grant },
  { title: 'ID', cell: ({ id }) => id },
];

/** Longer values are cut: the whole record is in `audit export`. */
const WIDEST = 64;

/** Records as a table for people, the title first. Nothing in it moves the terminal's cursor. */
export function recordTable(records: readonly PublishedRecord[]): string[] {
  const rows = records.map((record) => COLUMNS.map(({ cell }) => cut(printable(cell(record) ?? '-'))));
  const all = [COLUMNS.map(({ title }) => title), ...rows];
  const widths = COLUMNS.map((_, at) => all.reduce((most, row) => Math.max(most, (row[at] ?? '').length), 0));
  return all.map((row) =>
    row
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function joined(first: string | null, second: string | null): string | null {
  if (first === null && second === null) return null;
  return `${first ?? '-'}/${second ?? '-'}`;
}

function cut(text: string): string {
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
