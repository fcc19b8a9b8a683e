import type { DatabaseSync } from 'node:sqlite';
import type { AuditRecord } from '../../issuance/audit-record.ts';
import { canonicalText } from '../../issuance/published-record.ts';
import type { StoredRecord } from '../store.ts';
import { chainName } from './instances.ts';
import { COLUMNS, POSITIONS, TEXT_COLUMNS } from './schema.ts';
import { createTextReader, textIn } from './texts.ts';

export type Row = Readonly<Record<string, unknown>>;

const columns = COLUMNS.map(({ column }) =>
  TEXT_COLUMNS.includes(column) ? `CAST(${column} AS BLOB) AS ${column}` : column,
);

/** The rows that records are made of. Texts are bytes there: `textIn` tells why. */
export const SELECT_RECORDS = `SELECT position, id, instance, sequence, hash, ${columns.join(', ')} FROM audit_records`;

/** Makes records of rows of `audit_records`. */
export function createRecordReader(db: DatabaseSync): {
  /** An altered row gives a record too: no edit hides the records around it, and its hash tells of it. */
  recordOf(row: Row): StoredRecord;
  readonly texts: ReturnType<typeof createTextReader>;
} {
  const texts = createTextReader(db);
  const selectName = db.prepare(
    'SELECT CAST(name AS BLOB) AS name, anchor_sequence, anchor_hash FROM audit_instances WHERE instance = ?',
  );
  const selectHash = db.prepare('SELECT hash FROM audit_records WHERE instance = ? AND sequence = ?');

  function previousHash(instance: number, sequence: number, { anchor_sequence, anchor_hash }: Row): string | null {
    if (sequence === 1) return null;
    if (Number(anchor_sequence) === sequence - 1) return hexOf(anchor_hash);
    return hexOf(selectHash.get(instance, sequence - 1)?.['hash']);
  }

  function fieldOf(value: unknown, form: (typeof COLUMNS)[number]['form']): unknown {
    if (value === null || value === undefined) return null;
    if (form === 'plain') return value instanceof Uint8Array ? textIn(value) : value;
    return form === 'hex' ? hexOf(value) : texts.textOf(Number(value));
  }

  return {
    texts,
    recordOf(row) {
      const values = Object.fromEntries(COLUMNS.map(({ column, field, form }) => [field, fieldOf(row[column], form)]));
      const record = {
        ...values,
        id: uuidOf(row['id']),
        time: timeOf(Number(row['position']) / POSITIONS),
        tokenExpiresAt: values['tokenExpiresAt'] === null ? null : timeOf(Number(values['tokenExpiresAt'])),
        claims: readJson(values['claims']),
        observed: readJson(values['observed']),
      };
      const sequence = Number(row['sequence']);
      const chain: Row = selectName.get(Number(row['instance'])) ?? {};
      const link = {
        instance: chainName(Number(row['instance']), chain['name']),
        sequence,
        previousHash: previousHash(Number(row['instance']), sequence, chain),
      };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row as it is; its hash tells what it is worth
      const canonical = canonicalText(record as unknown as AuditRecord, link);
      return { sequence, hash: Buffer.from(bytesOf(row['hash'])), canonical };
    },
  };
}

/**
 * JSON that is not written as the service writes it is given as its text, which is never what was recorded: of a member
 * that is there twice, others see the first (SQLite: "JSON Functions And Operators").
 */
function readJson(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && JSON.stringify(value) === text ? value : text;
  } catch {
    return text;
  }
}

/** The latest time that a date can be, milliseconds since the epoch (ECMA-262, "Time Values"). */
const LATEST = 8.64e15;

function timeOf(time: number): number {
  return time >= 0 && time <= LATEST ? Math.floor(time) : 0;
}

function uuidOf(value: unknown): string {
  const hex = Buffer.from(bytesOf(value)).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function hexOf(value: unknown): string | null {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : null;
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}
