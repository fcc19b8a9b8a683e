import type { SqliteConnection } from './sqlite-connection.ts';
import type { Answer, Batch } from './sqlite-messages.ts';

/**
 * Writes all batches in one transaction and returns after it is on the disk: one sync serves many records. Sequence
 * numbers are read under the write lock, so they have no gaps whatever failed before, and a later version can chain
 * records here. Throws when nothing of it is known to be durable.
 */
export function writeBatches(connection: SqliteConnection, instance: string, batches: readonly Batch[]): Answer[] {
  const { db } = connection;
  db.exec('BEGIN IMMEDIATE');
  try {
    const answers = insertBatches(connection, instance, batches);
    db.exec('COMMIT');
    return answers;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function insertBatches(connection: SqliteConnection, instance: string, batches: readonly Batch[]): Answer[] {
  const { insert, lastSequence, probe } = connection;
  const before = Number(lastSequence.get(instance)?.['last'] ?? 0);
  // Waiting for the write lock can outlast a deadline, so it is looked at after.
  const now = Date.now();
  let sequence = before;
  const answers = batches.map((batch): Answer => {
    if (batch.deadline <= now) return { id: batch.id, failure: 'the record waited too long', refused: [] };
    const refused: { index: number; reason: string }[] = [];
    for (const [index, row] of batch.rows.entries()) {
      try {
        insert.run(...row, instance, sequence + 1);
        sequence += 1;
      } catch (error) {
        if (!isAboutOneRow(error)) throw error;
        refused.push({ index, reason: reasonOf(error) });
      }
    }
    return { id: batch.id, failure: null, refused };
  });
  if (sequence === before) probe.run(now);
  return answers;
}

/** SQLite's primary result codes (sqlite.org/rescode.html); the extended ones carry them in the low byte. */
export const resultCode = { busy: 5, locked: 6, full: 13, tooBig: 18, constraint: 19, mismatch: 20 } as const;

export function resultCodeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : null;
}

/** Such an error undoes its own statement only, and the other records of the transaction go on. */
function isAboutOneRow(error: unknown): boolean {
  const code = resultCodeOf(error);
  // Without a result code it never reached SQLite: a value that cannot be bound.
  if (code === null) return error instanceof TypeError || error instanceof RangeError;
  return code === resultCode.constraint || code === resultCode.mismatch || code === resultCode.tooBig;
}

/** SQLite's own words: they name tables and columns, never values. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
