import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { instanceName } from '../../config/values.ts';

/** One file of an instance's records. */
export type RecordFile = {
  readonly path: string;
  /** The sequence number of its first record. */
  readonly first: number;
};

const FILE_NAME = /^([0-9]{16})\.ndjson$/;

/** Named by the first record, so that the names sort as the records do. */
export function recordFileIn(folder: string, first: number): RecordFile {
  return { path: join(folder, `${String(first).padStart(16, '0')}.ndjson`), first };
}

/**
 * In the order of their records. Empty when there is no folder. What else is in the folder is passed over: reading a pipe
 * of such a name would never end, and a link could lead anywhere.
 */
export function recordFilesIn(folder: string): RecordFile[] {
  return (entriesIn(folder) ?? []).flatMap((entry) => {
    const [, first] = FILE_NAME.exec(entry.name) ?? [];
    return first === undefined || !entry.isFile() ? [] : [recordFileIn(folder, Number(first))];
  });
}

export function isRecordFileName(name: string): boolean {
  return FILE_NAME.test(name);
}

/**
 * The instances that have a folder, in the order of their names. What cannot be an instance's name is passed over.
 *
 * @throws {Error} when there is no such directory: an audit trail that was taken away is not an empty one.
 */
export function instancesIn(directory: string): string[] {
  const entries = entriesIn(directory);
  if (entries === null) throw new Error(`there is no audit store at ${directory}`);
  const names = entries.map(({ name }) => name);
  return names.filter((name) => isInstanceName(name) && isFolder(join(directory, name)));
}

export function isInstanceName(name: string): boolean {
  return instanceName.safeParse(name).success;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** In the order of their names; null when there is no such folder. */
export function entriesIn(folder: string): Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
