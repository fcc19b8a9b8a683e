import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReadRecord, withoutHashes } from './published-records.ts';

/** The record files of an instance, oldest first. */
export function recordFiles(directory: string, instance = 'pod-1'): string[] {
  const folder = join(directory, instance);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ndjson')) : [];
  return names.sort().map((name) => join(folder, name));
}

/** A line of a record file: an anchor, a record or a checkpoint. */
export type FileLine = {
  readonly anchor?: {
    readonly size: number;
    readonly hash: string | null;
    readonly frontier: string;
    readonly checkpoint: string | null;
  };
  readonly id?: string;
  readonly sequence?: number;
  readonly previous_hash?: string | null;
  readonly hash?: string;
  readonly checkpoint?: string;
  readonly kept?: boolean;
};

/** Every line of a record file, parsed. It must end with a line end. */
export function linesOf(path: string): FileLine[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error(`${path} does not end with a line end`);
  return lines.map((line) => JSON.parse(line));
}

/** Reads what is in the files, sharing nothing with the store's own reader. */
export function readFileRecords(directory: string): ReadRecord[] {
  const instances = existsSync(directory) ? readdirSync(directory).sort() : [];
  return instances.flatMap((instance) =>
    recordFiles(directory, instance).flatMap((path) =>
      linesOf(path)
        .filter((line) => 'id' in line)
        .map((line) => withoutHashes(JSON.stringify(line))),
    ),
  );
}
