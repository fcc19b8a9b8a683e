import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createFile, fileIdentity } from './file.ts';
import { hasNoSchema, migrate, refuseForeignSchema } from './schema.ts';
import { refuseUnsafeSchema } from './schema-faults.ts';

/** Well under the second that a record may take, so that a lock is told apart from a dead disk. Milliseconds. */
const BUSY_TIMEOUT = 400;

/**
 * Pages of the log before it is copied to the database, and KiB of page cache. SQLite's own 1,000 and 2,000 write the
 * pages of the indexes far more often.
 */
const CHECKPOINT_PAGES = 4_000;
const CACHE_SIZE = 16_000;

/** Keeps the write-ahead log from staying at the size of its worst day. Bytes. */
const WAL_SIZE_LIMIT = 64 * 1024 * 1024;

/** An open store that took a write. */
export type SqliteConnection = {
  readonly db: DatabaseSync;
  /** Writes what is no record, durably. */
  probe(): void;
  /** Throws when somebody put a trigger there, or changed a table, by which records could be lost. */
  requireSafeSchema(): void;
  /**
   * Whether the path still names the files being written, right after a write: SQLite writes on happily into removed
   * and emptied ones.
   */
  isInPlace(): boolean;
};

/** Opens the store and proves it: ours, WAL, FULL, writable. Throws what is wrong with it. */
export function openConnection(path: string, create: boolean): SqliteConnection {
  if (create) createFile(path);
  if (!existsSync(path)) throw new Error(create ? 'it is a link to no file' : 'the file was removed while in use');
  if (!statSync(path).isFile()) throw new Error('it is not a file');
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    refuseForeignSchema(db);
    // A new store in its place would look as if nothing had ever been recorded.
    if (!create && hasNoSchema(db)) throw new Error('the file was emptied while in use');
    useDurableCommits(db);
    boundSizes(db);
    migrate(db);
    return proveWritable(db, path);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** In WAL mode only `synchronous=FULL` syncs at every commit (SQLite: "Write-Ahead Logging", "PRAGMA synchronous"). */
function useDurableCommits(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = wal; PRAGMA synchronous = full');
  const mode = db.prepare('PRAGMA journal_mode').get()?.['journal_mode'];
  if (mode !== 'wal') throw new Error(`its journal_mode stays ${String(mode)} where wal is needed`);
  const synchronous = db.prepare('PRAGMA synchronous').get()?.['synchronous'];
  if (synchronous !== 2) throw new Error(`synchronous stays ${String(synchronous)} where 2 (FULL) is needed`);
}

function boundSizes(db: DatabaseSync): void {
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_SIZE}`);
  db.exec(`PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
}

function proveWritable(db: DatabaseSync, path: string): SqliteConnection {
  // A store that lost a table is left as it is.
  for (const table of ['records', 'texts', 'instances', 'checkpoints']) db.prepare(`SELECT 1 FROM audit_${table}`);
  const schemaCookie = db.prepare('PRAGMA schema_version');
  let checked: unknown = null;
  const requireSafeSchema = () => {
    const cookie = schemaCookie.get()?.['schema_version'];
    if (cookie === checked) return;
    refuseUnsafeSchema(db);
    checked = cookie;
  };
  requireSafeSchema();
  const probe = db.prepare('UPDATE audit_probe SET time = ?');
  probe.run(Date.now());
  const files = [path, `${path}-wal`];
  const opened = files.map(fileIdentity);
  if (opened.includes(null)) throw new Error('the file was removed or emptied while it was opened');
  return {
    db,
    probe: () => void probe.run(Date.now()),
    requireSafeSchema,
    isInPlace: () => files.every((file, index) => fileIdentity(file) === opened[index]),
  };
}
