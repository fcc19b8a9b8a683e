import { readdirSync, statSync } from 'node:fs';
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

/** In the order of their records. Other files in the folder are not looked at. Empty when there is no folder. */
export function recordFilesIn(folder: string): RecordFile[] {
  return (namesIn(folder) ?? []).flatMap((name) => {
    const [, first] = FILE_NAME.exec(name) ?? [];
    return first === undefined ? [] : [recordFileIn(folder, Number(first))];
  });
}

/**
 * The instances that have a folder, in the order of their names. What cannot be an instance's name is passed over.
 *
 * @throws {Error} when there is no such directory: an audit trail that was taken away is not an empty one.
 */
export function instancesIn(directory: string): string[] {
  const names = namesIn(directory);
  if (names === null) throw new Error(`there is no audit store at ${directory}`);
  return names.filter((name) => isInstanceName(name) && isFolder(join(directory, name)));
}

export function isInstanceName(name: string): boolean {
  return instanceName.safeParse(name).success;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
