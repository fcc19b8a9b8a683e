import { openConnection, type SqliteConnection } from './sqlite-connection.ts';
import type { Answer, Batch, StoreSetup } from './sqlite-messages.ts';
import { reasonOf, resultCode, resultCodeOf, writeBatches } from './sqlite-write.ts';

/** The store as its thread sees it: blocking, and never throwing while it serves. */
export type SqliteStore = {
  /** Throws what is wrong with the store. */
  open(): void;
  /** One answer per batch; opens the store again when an error closed it. */
  write(batches: readonly Batch[]): readonly Answer[];
  close(): void;
};

export function createSqliteStore(setup: StoreSetup): SqliteStore {
  let connection: SqliteConnection | null = null;

  function opened(create: boolean): SqliteConnection {
    connection ??= openConnection({ ...setup, create });
    return connection;
  }

  function close(): void {
    const closing = connection;
    connection = null;
    closing?.db.close();
  }

  return {
    open: () => void opened(setup.create),
    write(batches) {
      try {
        const used = opened(false);
        const answers = writeBatches(used, setup.instance, batches);
        if (!used.isInPlace()) throw new Error('the file was removed, replaced or emptied while in use');
        return answers;
      } catch (error) {
        const failure = reasonOf(error);
        if (!isPassing(error)) close();
        return batches.map(({ id }) => ({ id, failure, refused: [] }));
      }
    },
    close,
  };
}

/** A lock or a full disk leaves the connection sound; after anything else it is opened and proved again. */
function isPassing(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === resultCode.busy || code === resultCode.locked || code === resultCode.full;
}
