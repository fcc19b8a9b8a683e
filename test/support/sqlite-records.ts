import { DatabaseSync } from 'node:sqlite';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import type { StoredRecord } from '../audit/audit-log-conformance.ts';

/** Every record of a SQLite store, read over a connection of its own, in the order of instance and sequence. */
export function readSqliteRecords(path: string): StoredRecord[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db.prepare('SELECT * FROM audit_records ORDER BY instance, sequence').all();
    return rows.map(({ instance, sequence, ...columns }) => ({
      instance: String(instance),
      sequence: Number(sequence),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared with the record that was written
      record: Object.fromEntries(Object.entries(columns).map(([name, v]) => [fieldOf(name), v])) as AuditRecord,
    }));
  } finally {
    db.close();
  }
}

function fieldOf(column: string): string {
  if (column === 'database_user') return 'user';
  if (column === 'grant_name') return 'grant';
  return column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
