import type { Extent } from './extents.ts';
import { kindIn } from './file-lines.ts';
import { CHUNK, linesForward } from './read-lines.ts';
import { type RecordLine, recordOrNull } from './record-in.ts';

/** A byte of one of an instance's files, where a line begins or the file ends. */
export type Place = { readonly file: number; readonly offset: number };

/**
 * Narrows down by halves where the records for which `test` holds end, to less than a chunk. Each step looks at one
 * record: `test` must be true only when all records before it are of no interest either, and false only when all behind it
 * are not: then none of interest is left out, in whatever order they are.
 *
 * @returns `low`, a record for which `test` holds or the beginning of all, and `high`, one for which it does not or the end
 */
export function narrow(
  files: readonly Extent[],
  test: (record: RecordLine) => boolean,
): { readonly low: Place; readonly high: Place } {
  let file = 0;
  for (let above = files.length; above - file > 1; ) {
    const middle = file + Math.floor((above - file) / 2);
    const record = firstRecord(files[middle], 0);
    if (record !== null && test(record)) file = middle;
    else above = middle;
  }
  let low = 0;
  let high = files[file]?.end ?? 0;
  while (high - low > CHUNK) {
    const record = firstRecord(files[file], low + Math.floor((high - low) / 2));
    // A line that is longer than half of what is left.
    if (record === null || record.line.offset >= high) break;
    if (test(record)) low = record.line.offset;
    else high = record.line.offset;
  }
  return { low: { file, offset: low }, high: { file, offset: high } };
}

/** The first record whose line begins behind a byte. Lines that are not as they were written are for whoever reads them. */
function firstRecord(extent: Extent | undefined, behind: number): RecordLine | null {
  if (extent === undefined) return null;
  let isWhole = false;
  for (const line of linesForward(extent.path, behind, extent.end)) {
    // What begins before `behind` is cut; the first line of a file is its anchor.
    const record = isWhole && kindIn(line) === 'record' ? recordOrNull(line) : null;
    if (record !== null) return record;
    isWhole = true;
  }
  return null;
}
