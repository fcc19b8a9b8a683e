import { join } from 'node:path';
import { entriesIn, isFolder, isInstanceName, isRecordFileName } from './record-files.ts';

/** What a store has in an instance's folder beside the records; `next` is a record file that is being made. */
const BESIDE_RECORDS = new Set(['lock', 'next', 'probe']);

/** Made by the system in a volume's root, for the system's administrator alone. */
const OF_THE_VOLUME = 'lost+found';

/** So many are told. */
const MOST = 20;

/**
 * What is in a store's directory where records are, or could be taken to be, and is not what the store makes: no reader
 * looks into it, or it takes a file's place. Other files and folders may be there, such as the checkpoint key.
 */
export function folderFaults(directory: string): string[] {
  const faults = (entriesIn(directory) ?? []).flatMap((entry): string[] => {
    const path = join(directory, entry.name);
    if (isFolder(path)) return faultsIn(path, entry.name);
    return entry.isFile() && !isLikeRecords(entry) ? [] : [`${path} is no folder of an instance`];
  });
  return faults.length <= MOST ? faults : [...faults.slice(0, MOST), `${faults.length - MOST} more of the kind`];
}

function faultsIn(folder: string, name: string): string[] {
  const entries = entriesOrNull(folder);
  if (entries === null) return name === OF_THE_VOLUME ? [] : [`${folder} cannot be looked into`];
  if (!entries.some(isLikeRecords)) return [];
  if (!isInstanceName(name)) return [`${folder} has record files, and its name is no instance’s: they are not read`];
  return entries.flatMap((entry): string[] => {
    const path = join(folder, entry.name);
    if (!isRecordFileName(entry.name) && !BESIDE_RECORDS.has(entry.name)) return [`${path} is not of the store`];
    return entry.isFile() ? [] : [`${path} is not a regular file`];
  });
}

function entriesOrNull(folder: string): ReturnType<typeof entriesIn> {
  try {
    return entriesIn(folder);
  } catch {
    return null;
  }
}

function isLikeRecords({ name }: { readonly name: string }): boolean {
  return name.endsWith('.ndjson');
}
