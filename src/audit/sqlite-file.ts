import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

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

/** A new directory survives a power cut once its parent is synced; SQLite syncs only the directory of its files. */
function createDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(first);
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    syncDirectory(parent);
    if (parent === top) return;
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
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
