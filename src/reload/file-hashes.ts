import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { included } from './included-files.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { readHashes, type WatchedFiles, watchedFilesOf } from './watched-files.ts';

/** The SHA-256 of each file, hex, or why it cannot be read; and for each pattern the files that match it. */
export type FileHashes = ReadonlyMap<string, string>;

/** No file that a configuration names is near to this. */
const MAX_BYTES = 256 * 1024 * 1024;

export async function hashFiles({ files, patterns }: WatchedFiles): Promise<FileHashes> {
  const hashes = new Map<string, string>();
  const all = new Set(files);
  for (const pattern of patterns) {
    const found = await included(pattern);
    hashes.set(pattern, found.join('\n'));
    for (const file of found) all.add(file);
  }
  for (const file of all) hashes.set(file, await hashFile(file));
  return hashes;
}

/** What the files held when a configuration was read just now: of what was read itself, the very bytes that were. */
export async function startingHashes(main: string, loaded: LoadedConfig): Promise<FileHashes> {
  return new Map([...(await hashFiles(watchedFilesOf(main, loaded))), ...readHashes(loaded)]);
}

/** Whether it is the hash of a file that could be read. */
export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Whether every entry of `some` is the same in `all`. */
export function agree(some: FileHashes, all: FileHashes): boolean {
  return [...some].every(([file, hash]) => all.get(file) === hash);
}

/** The files that differ, and those that only one of them has. */
export function changedFiles(before: FileHashes, after: FileHashes): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((file) => before.get(file) !== after.get(file) && !file.includes('*'))
    .sort();
}

/** The part of `all` that is about these files. */
export function hashesOf({ files, patterns }: WatchedFiles, all: FileHashes): FileHashes {
  const found = [...patterns].flatMap((pattern) => all.get(pattern)?.split('\n') ?? []);
  const wanted = new Set([...files, ...patterns, ...found]);
  return new Map([...all].filter(([file]) => wanted.has(file)));
}

async function hashFile(file: string): Promise<string> {
  try {
    // A pipe in a file's place would be waited for without end.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return 'is not a regular file';
      if (stats.size > MAX_BYTES) return `is larger than ${MAX_BYTES} bytes`;
      return createHash('sha256')
        .update(await handle.readFile())
        .digest('hex');
    } finally {
      await handle.close();
    }
  } catch (error) {
    return error instanceof Error && 'code' in error ? `cannot be read (${String(error.code)})` : 'cannot be read';
  }
}
