import { accessSync, constants, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { publishedLine } from '../../issuance/published-record.ts';
import type { AuditStore } from '../audit-store.ts';
import { EMPTY_FRONTIER, type Frontier, unpackFrontier } from '../chain/frontier.ts';
import type { ChainHead, StoreReader, StoredChain, StoredRecord } from '../store.ts';
import { findPositions } from './page-query.ts';
import { chainName, createRecordReader, numberInName, type Row } from './read-record.ts';
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
  const byPosition = db.prepare('SELECT * FROM audit_records WHERE position = ?');
  const byId = db.prepare('SELECT * FROM audit_records WHERE id = ?');
  const bySequence = db.prepare(
    'SELECT * FROM audit_records WHERE instance = ? AND sequence > ? ORDER BY sequence LIMIT ?',
  );
  const checkpoints = db.prepare(
    'SELECT size, note FROM audit_checkpoints WHERE instance = ? AND size > ? ORDER BY size LIMIT ?',
  );
  const countUpTo = db.prepare('SELECT count(*) AS records FROM audit_records WHERE instance = ? AND sequence <= ?');
  const countRange = db.prepare(
    'SELECT count(*) AS records FROM audit_records WHERE instance = ? AND sequence <= ? AND sequence > ?',
  );
  const byName = db.prepare('SELECT instance FROM audit_instances WHERE name = ?');
  const numberOf = (instance: string) => Number(byName.get(instance)?.['instance'] ?? numberInName(instance));

  return {
    async page(query) {
      // One transaction, so that a retirement in between takes no record from the page.
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
      return chainsOf(db).toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
    },
    async records(instance, after, limit) {
      return bySequence.all(numberOf(instance), after, limit).map((row) => recordOf(row));
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
      return storeFaults(db);
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

function chainsOf(db: DatabaseSync): StoredChain[] {
  const rows: readonly Row[] = db.prepare('SELECT * FROM audit_instances').all();
  const known = new Set(rows.map((row) => Number(row['instance'])));
  const headless = [...distinctInstances(db, 'audit_records'), ...distinctInstances(db, 'audit_checkpoints')];
  const others = [...new Set(headless)].filter((number) => !known.has(number));
  return [
    ...rows.map(chainOf),
    ...others.map((number) => ({ instance: chainName(number, null), anchor: null, head: null })),
  ];
}

/** One look-up for each, where DISTINCT would read every record. */
function distinctInstances(db: DatabaseSync, table: 'audit_records' | 'audit_checkpoints'): number[] {
  const first = db.prepare(`SELECT min(instance) AS instance FROM ${table}`);
  const next = db.prepare(`SELECT min(instance) AS instance FROM ${table} WHERE instance > ?`);
  const found: number[] = [];
  for (let last: number | null = null; ; ) {
    const instance: unknown = (last === null ? first.get() : next.get(last))?.['instance'];
    if (typeof instance !== 'number') return found;
    found.push(instance);
    last = instance;
  }
}

function chainOf(row: Row): StoredChain {
  const head = { sequence: Number(row['sequence']), hash: bytesOf(row['hash']), checkpoint: String(row['checkpoint']) };
  return { instance: String(row['name']), anchor: anchorOf(row), head };
}

function anchorOf(row: Row): ChainHead | null {
  const sequence = Number(row['anchor_sequence']);
  if (sequence === 0) return null;
  return { sequence, hash: bytesOf(row['anchor_hash']), frontier: frontierOf(sequence, row['anchor_frontier']) };
}

/** One that was tampered with is empty: then it does not fit the checkpoint there. */
function frontierOf(size: number, bytes: unknown): Frontier {
  try {
    return unpackFrontier(size, bytesOf(bytes) ?? new Uint8Array());
  } catch {
    return EMPTY_FRONTIER;
  }
}

function bytesOf(value: unknown): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}
