import { accessSync, constants, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { publishedLine } from '../../issuance/published-record.ts';
import type { AuditStore } from '../audit-store.ts';
import type { StoredRecord, StoreReader } from '../store.ts';
import { readChains } from './chains.ts';
import { createInstanceNumbers } from './instances.ts';
import { findPositions } from './page-query.ts';
import { createRecordReader, type Row, SELECT_RECORDS } from './read-record.ts';
import { isReadOnlyPlace } from './result-codes.ts';
import { hasNoSchema, refuseForeignSchema } from './schema.ts';
import { storeFaults } from './store-faults.ts';

/** How long a reader waits for a lock, which in WAL mode only recovery takes. Milliseconds. */
const BUSY_TIMEOUT = 2_000;

/** Opens a SQLite store to read it. Nothing in it is changed. */
export async function openSqliteReader({ path }: Extract<AuditStore, { type: 'sqlite' }>): Promise<StoreReader> {
  requireReadable(path);
  const db = openReadOnly(path);
  try {
    refuseForeignSchema(db);
    if (hasNoSchema(db)) throw new Error(`there is no audit store in ${path}`);
    return createReader(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function requireReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new Error(code === 'ENOENT' ? `there is no audit store at ${path}` : `${path} cannot be read: ${code}`, {
      cause: error,
    });
  }
}

/**
 * In a place that cannot be written to, WAL has no room for its own files. A copy there is complete and nobody writes to
 * it, unless a log lies beside it (SQLite: "Write-Ahead Logging", read-only databases).
 */
function openReadOnly(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    if (!isReadOnlyPlace(error) || existsSync(`${path}-wal`)) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, { readOnly: true });
  }
}

function createReader(db: DatabaseSync): StoreReader {
  const { recordOf, texts } = createRecordReader(db);
  const byPosition = db.prepare(`${SELECT_RECORDS} WHERE position = ?`);
  const byId = db.prepare(`${SELECT_RECORDS} WHERE id = ?`);
  const bySequence = db.prepare(`${SELECT_RECORDS} WHERE instance = ? AND sequence > ? ORDER BY sequence LIMIT ?`);
  const checkpoints = db.prepare(
    'SELECT size, note FROM audit_checkpoints WHERE instance = ? AND size > ? ORDER BY size LIMIT ?',
  );
  const countUpTo = db.prepare('SELECT count(*) AS records FROM audit_records WHERE instance = ? AND sequence <= ?');
  const countRange = db.prepare(
    'SELECT count(*) AS records FROM audit_records WHERE instance = ? AND sequence <= ? AND sequence > ?',
  );
  const numberOf = createInstanceNumbers(db);

  return {
    async page(query) {
      // One transaction, so that a retirement in between takes no record from the page, and no text from a record.
      return inSnapshot(db, () => {
        const { positions, next } = findPositions(db, query, (text) => texts.numberOf(text));
        const rows = positions.flatMap((position): Row[] => byPosition.all(position));
        return { events: rows.map((row) => lineOf(recordOf(row))), next };
      });
    },
    async get(id) {
      return inSnapshot(db, () => {
        const row = byId.get(Buffer.from(id.replaceAll('-', ''), 'hex'));
        return row === undefined ? null : lineOf(recordOf(row));
      });
    },
    async chains() {
      return inSnapshot(db, () => readChains(db));
    },
    async records(instance, after, limit) {
      return inSnapshot(db, () => bySequence.all(numberOf(instance), after, limit).map((row) => recordOf(row)));
    },
    async checkpoints(instance, after, limit) {
      const rows: readonly Row[] = checkpoints.all(numberOf(instance), after, limit);
      return rows.map(({ size, note }) => ({ size: Number(size), note: String(note) }));
    },
    async count(instance, after, upTo) {
      const found =
        after === null ? countUpTo.get(numberOf(instance), upTo) : countRange.get(numberOf(instance), upTo, after);
      return Number(found?.['records']);
    },
    async faults() {
      return inSnapshot(db, () => storeFaults(db));
    },
    async close() {
      db.close();
    },
  };
}

function inSnapshot<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('ROLLBACK');
  }
}

function lineOf({ canonical, hash }: StoredRecord): string {
  return publishedLine(canonical, hash.toString('hex'));
}
