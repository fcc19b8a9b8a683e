import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const BUSY = 5;

/**
 * Takes the lock on an instance's folder. Node has no `fcntl`, so it is SQLite's lock on an empty database: the kernel
 * drops it when the process dies, however it dies, and it holds across containers that share the volume.
 *
 * @throws {Error} when another process, or another store of this one, has it.
 */
export function takeLock(folder: string): { release(): void } {
  const path = join(folder, 'lock');
  createEmpty(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Nothing is ever written, so no journal is made either.
    db.exec('PRAGMA journal_mode = memory; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new Error('another process writes under the same instance name', { cause: error });
    }
    throw new Error(`cannot lock ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return { release: () => db.close() };
}

/** Mode 0600. Exclusively: closing a descriptor of a file that is there would drop this process's locks on it (POSIX). */
function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
