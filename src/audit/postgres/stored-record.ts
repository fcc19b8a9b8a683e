import type { StoredRecord } from '../store.ts';
import type { Row } from './connection.ts';
import { bytesOf } from './values.ts';

/** What of a record is searched, and where it is in its canonical text. */
const COLUMNS = [
  ['id', 'id'],
  ['instance', 'instance'],
  ['action', 'action'],
  ['outcome', 'outcome'],
  ['issuer', 'issuer'],
  ['subject', 'subject'],
  ['database', 'database'],
  ['database_user', 'user'],
  ['endpoint', 'endpoint'],
  ['grant_name', 'grant'],
] as const;

export const STORED_COLUMNS = `sequence, hash, record::text, observed, ${COLUMNS.map(([column]) => column).join(', ')}`;

/**
 * A row as its record. Where a column says something else than the text, because somebody took the rules away that tie them
 * together, what the column says is put in: queries find the record by it, so it is what was made of the record.
 */
export function storedRecordOf(row: Row): StoredRecord {
  const canonical = String(row['record']);
  const members = membersOf(canonical);
  const sequence = Number(row['sequence']);
  let edited = members['sequence'] !== sequence;
  members['sequence'] = sequence;
  if (jsonOf(members['observed']) !== row['observed']) {
    members['observed'] = row['observed'];
    edited = true;
  }
  for (const [column, member] of COLUMNS) {
    if (isSame(members[member], row[column])) continue;
    // A text that is not cut is the record's own, and no query finds the record by it.
    members[member] = row[column] === members[member] ? null : row[column];
    edited = true;
  }
  return {
    sequence,
    hash: bytesOf(row['hash']),
    canonical: edited ? JSON.stringify(members) : canonical,
  };
}

function membersOf(canonical: string): Record<string, unknown> {
  const record: unknown = JSON.parse(canonical);
  return typeof record === 'object' && record !== null ? { ...record } : {};
}

/** The canonical text of a list has no white space, as `JSON.stringify` writes it. */
function jsonOf(list: unknown): string | null {
  return list === undefined || list === null ? null : JSON.stringify(list);
}

/** Columns hold exactly the first 255 characters: pages look for these alone, and would not find a record by more. */
function isSame(member: unknown, column: unknown): boolean {
  if (typeof member !== 'string' || typeof column !== 'string') return (member ?? null) === (column ?? null);
  return (member.length <= 255 ? member : [...member].slice(0, 255).join('')) === column;
}
