import { closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createDirectory } from '../directory.ts';

/**
 * Makes the store's file, mode 0600, in a directory, mode 0700, where they are missing. What exists keeps its modes:
 * they are the operator's choice. SQLite gives its `-wal` and `-shm` files the mode of the database file.
 */
export function createFile(path: string): void {
  createDirectory(dirname(path));
  try {
    // Exclusive, because closing a descriptor of an existing file would drop the locks this process has on it (POSIX).
    closeSync(openSync(path, 'ax', 0o600));
  } catch (error) {
    if (!isExisting(error)) throw error;
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Which file a path names now, or null: changes when it is removed, emptied, replaced or its volume goes away. */
export function fileIdentity(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined || stat.size === 0n ? null : `${stat.dev}:${stat.ino}`;
}
