import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { RECORD_FIELDS, type RecordField, type RecordRow } from '../record-row.ts';
import type { ChainedRecord } from '../store.ts';
import { isPrimaryKeyTaken } from './result-codes.ts';
import { COLUMNS, POSITIONS } from './schema.ts';
import { MS_PER_DAY, type TextNumbers } from './texts.ts';

const FIELDS = Object.keys(RECORD_FIELDS);
const at = (field: RecordField) => FIELDS.indexOf(field);
const ID = at('id');
const TIME = at('time');
const VALUES = COLUMNS.map(({ field, form }) => ({ index: at(field), form }));

const NAMES = ['position', 'id', 'instance', 'sequence', 'hash', ...COLUMNS.map(({ column }) => column)];

/** Makes the function that inserts one record of an instance. */
export function createRecordInsert(
  db: DatabaseSync,
  texts: TextNumbers,
): (instance: number, record: ChainedRecord) => void {
  const insert = db.prepare(
    `INSERT INTO audit_records (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')})`,
  );
  let turn = 0;
  return (instance, { row, sequence, hash }) => {
    const time = Number(row[TIME]);
    const values = valuesOf(row, Math.floor(time / MS_PER_DAY), texts);
    const id = Buffer.from(String(row[ID]).replaceAll('-', ''), 'hex');
    for (let tries = 1; ; tries++) {
      turn = (turn + 1) % POSITIONS;
      try {
        const { changes } = insert.run(time * POSITIONS + turn, id, instance, sequence, hash, ...values);
        // A trigger of somebody else's may drop a row without an error.
        if (changes !== 1) throw new Error('the record was not inserted');
        return;
      } catch (error) {
        // Another process, or a thousand records of one millisecond.
        if (!isPrimaryKeyTaken(error) || tries === POSITIONS) throw error;
      }
    }
  };
}

function valuesOf(row: RecordRow, day: number, texts: TextNumbers): SQLInputValue[] {
  return VALUES.map(({ index, form }) => {
    const value = row[index] ?? null;
    if (typeof value !== 'string' || form === 'plain') return value;
    return form === 'text' ? texts.numberOf(value, day) : Buffer.from(value, 'hex');
  });
}
