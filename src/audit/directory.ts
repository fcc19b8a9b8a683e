import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a directory, mode 0700, that survives a power cut: each new one is there once its parent is synced. */
export function createDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(first);
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    syncDirectory(parent);
    if (parent === top) return;
  }
}

/** Makes new, renamed and removed names of a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
