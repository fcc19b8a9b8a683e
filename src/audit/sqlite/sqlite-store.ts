import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AuditStore } from '../audit-store.ts';
import { EMPTY_FRONTIER, packFrontier, unpackFrontier } from '../chain/frontier.ts';
import { type Commit, HeadMoved, type HeadOnRecord, Passing, type Store } from '../store.ts';
import { openConnection, type SqliteConnection } from './connection.ts';
import { createRecordInsert } from './insert-record.ts';
import { isPassing } from './result-codes.ts';
import { createRetirement } from './retire.ts';
import { createTextNumbers } from './texts.ts';

/** Creates the store in a SQLite file. Every call blocks until it is done. */
export function createSqliteStore({ path }: Extract<AuditStore, { type: 'sqlite' }>, instance: string): Store {
  let session: Session | null = null;

  function opened(): Session {
    if (session === null) throw new Error('the store is not open');
    return session;
  }

  /** Runs one transaction, and looks whether it went where everybody will look for it. */
  function write(change: (session: Session) => void): void {
    const { connection } = opened();
    try {
      inTransaction(opened(), change);
    } catch (error) {
      throw isPassing(error) ? new Passing(messageOf(error), { cause: error }) : error;
    }
    if (!connection.isInPlace()) throw new Error('the file was removed, replaced or emptied while in use');
  }

  return {
    async open(create) {
      session = createSession(openConnection(path, create));
    },
    async head() {
      return opened().head(instance);
    },
    async commit(commit) {
      write((open) => open.commit(instance, commit));
    },
    async keep(size, checkpoint) {
      write((open) => open.keep(instance, size, checkpoint));
    },
    async probe() {
      write(({ connection }) => connection.probe());
    },
    freeBytes() {
      const { bavail, bsize } = statfsSync(dirname(path));
      return bavail * bsize;
    },
    async tidy(retireBefore) {
      if (retireBefore === null || session === null) return false;
      let more = false;
      write(({ retirement }) => {
        more = retirement.slice(retireBefore);
      });
      return more;
    },
    async close() {
      const closing = session;
      session = null;
      closing?.connection.db.close();
    },
  };
}

type Session = ReturnType<typeof createSession>;

function createSession(connection: SqliteConnection) {
  const { db } = connection;
  const texts = createTextNumbers(db);
  const insert = createRecordInsert(db, texts);
  const selectHead = db.prepare(
    'SELECT instance, sequence, hash, frontier, checkpoint FROM audit_instances WHERE name = ?',
  );
  const updateHead = db.prepare(
    `INSERT INTO audit_instances (name, sequence, hash, frontier, checkpoint) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash,
       frontier = excluded.frontier, checkpoint = excluded.checkpoint
     RETURNING instance`,
  );
  const insertCheckpoint = db.prepare(
    `INSERT INTO audit_checkpoints (instance, size, note) VALUES (?, ?, ?)
     ON CONFLICT (instance, size) DO UPDATE SET note = excluded.note`,
  );

  function head(name: string): HeadOnRecord {
    const row = selectHead.get(name);
    if (row === undefined) return { sequence: 0, hash: null, frontier: EMPTY_FRONTIER, checkpoint: null };
    const sequence = Number(row['sequence']);
    return {
      sequence,
      hash: bytesOf(row['hash']),
      frontier: unpackFrontier(sequence, bytesOf(row['frontier']) ?? new Uint8Array()),
      checkpoint: String(row['checkpoint']),
    };
  }

  return {
    connection,
    retirement: createRetirement(db, texts),
    head,
    commit(name: string, { before, after, records, checkpoint, keep }: Commit) {
      const now = head(name);
      const isSame =
        now.sequence === before.sequence && (now.hash?.equals(before.hash ?? Buffer.alloc(0)) ?? before.hash === null);
      if (!isSame) throw new HeadMoved();
      const number = Number(
        updateHead.get(name, after.sequence, after.hash, packFrontier(after.frontier), checkpoint)?.['instance'],
      );
      for (const record of records) insert(number, record);
      if (keep) insertCheckpoint.run(number, after.sequence, checkpoint);
    },
    keep(name: string, size: number, checkpoint: string) {
      const number = selectHead.get(name)?.['instance'];
      if (typeof number !== 'number') throw new Error(`the instance ${name} is not there`);
      insertCheckpoint.run(number, size, checkpoint);
    },
    /** After a rollback: texts that it made are not there. */
    forget: () => texts.forget(),
  };
}

function inTransaction(session: Session, change: (session: Session) => void): void {
  const { db } = session.connection;
  db.exec('BEGIN IMMEDIATE');
  try {
    change(session);
    session.connection.requireSafeSchema();
    db.exec('COMMIT');
  } catch (error) {
    session.forget();
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function bytesOf(value: unknown): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}

/** SQLite's own words: they name tables and columns, never values. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
