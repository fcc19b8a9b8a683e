import { isUtf8 } from 'node:buffer';
import type { DatabaseSync } from 'node:sqlite';

/** A bound on memory; what falls out is looked up again. */
const MOST_KEPT = 50_000;

export const MS_PER_DAY = 86_400_000;

/** Numbers of texts for records that are written. */
export type TextNumbers = {
  /** @param day of the record, counted from the epoch. */
  numberOf(text: string, day: number): number;
  /** After a rollback or a retirement: what is remembered may not be there. */
  forget(): void;
};

export function createTextNumbers(db: DatabaseSync): TextNumbers {
  const known = new Map<string, { readonly number: number; readonly day: number }>();
  const insert = db.prepare(
    `INSERT INTO audit_texts (text, last_day) VALUES (?, ?)
     ON CONFLICT (text) DO UPDATE SET last_day = max(last_day, excluded.last_day) RETURNING id`,
  );
  return {
    numberOf(text, day) {
      const found = known.get(text);
      if (found !== undefined && found.day >= day) return found.number;
      const number = Number(insert.get(text, day)?.['id']);
      if (known.size >= MOST_KEPT) known.clear();
      known.set(text, { number, day });
      return number;
    },
    forget: () => known.clear(),
  };
}

/** The texts of numbers, for records that are read. */
export function createTextReader(db: DatabaseSync): {
  textOf(number: number): string;
  /** null when no record ever had the text. */
  numberOf(text: string): number | null;
} {
  const known = new Map<number, string>();
  const byNumber = db.prepare('SELECT CAST(text AS BLOB) AS text FROM audit_texts WHERE id = ?');
  const byText = db.prepare('SELECT id FROM audit_texts WHERE text = ?');
  return {
    textOf(number) {
      const found = known.get(number);
      if (found !== undefined) return found;
      const bytes = byNumber.get(number)?.['text'];
      // Somebody took it away: the record is still shown, and its hash tells that it was altered.
      if (!(bytes instanceof Uint8Array)) return `${NEVER_RECORDED}(the text ${number} is missing)`;
      const text = textIn(bytes);
      if (known.size >= MOST_KEPT) known.clear();
      known.set(number, text);
      return text;
    },
    numberOf(text) {
      const id = byText.get(text)?.['id'];
      return typeof id === 'number' ? id : null;
    },
  };
}

/** No recorded text has it: what begins so has another hash than any record, also where a caller has such a name. */
const NEVER_RECORDED = '\0';

/**
 * The text of bytes. Bytes that are no UTF-8 would read as U+FFFD, as a recorded text may have it: the record would look
 * as it was written, and no filter would find it.
 */
export function textIn(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString() : `${NEVER_RECORDED}(no UTF-8: ${buffer.toString('hex')})`;
}
