import { statSync } from 'node:fs';
import { kindOf } from './file-lines.ts';
import { brokenLine, linesBackward } from './read-lines.ts';
import { isMissing, type RecordFile, recordFilesIn } from './record-files.ts';

/** A record file as far as it counts. */
export type Extent = RecordFile & {
  /** Where its last checkpoint line ends, in bytes: what a writer is about to write behind it does not count yet. */
  readonly end: number;
};

/** The files of an instance, in the order of their records. */
export function extentsIn(folder: string): Extent[] {
  const files = recordFilesIn(folder);
  return files.flatMap((file, index): Extent[] => {
    if (index === files.length - 1) return [{ ...file, end: endOf(file) }];
    const size = statSync(file.path, { throwIfNoEntry: false })?.size;
    // Retired since the folder was listed.
    return size === undefined ? [] : [{ ...file, end: size }];
  });
}

function endOf({ path }: RecordFile): number {
  for (const line of linesBackward(path, 0, statSync(path).size)) {
    // A power cut can leave pages of zeros in what was being written, until the writer opens the file and cuts them off.
    if (!line.complete || line.text.includes('\0')) continue;
    if (kindOf(line) === 'checkpoint' || line.offset === 0) return line.next;
  }
  throw brokenLine({ path, offset: 0 }, 'the file has no anchor');
}

/** Calls `read`; gives `otherwise` when a file was retired meanwhile. */
export function unlessRetired<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}
