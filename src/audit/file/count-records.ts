import { type Extent, extentsIn, unlessRetired } from './extents.ts';
import { kindIn } from './file-lines.ts';
import { linesForward } from './read-lines.ts';
import { recordOrNull } from './record-in.ts';

/**
 * How many lines of an instance's files stand for a record with a number above `after` and up to `upTo`, in whatever
 * order: every line is looked at. A line that is none of ours stands for the record behind the one before it, as
 * `readRecords` has it; one of a greater number than `upTo` counts when one of the range stands behind it, where nobody
 * looks for it.
 */
export function countRecords(folder: string, after: number, upTo: number): number {
  // A line with a lower number is no record's.
  if (upTo < 1) return 0;
  const tally = { last: 0, count: 0, ahead: 0 };
  for (const file of extentsIn(folder)) {
    // What is retired meanwhile is not shown either.
    unlessRetired(() => countIn(file, after, upTo, tally), undefined);
  }
  return tally.count;
}

type Tally = { last: number; count: number; ahead: number };

function countIn({ path, end, first }: Extent, after: number, upTo: number, tally: Tally): void {
  tally.last = first - 1;
  for (const line of linesForward(path, 0, end)) {
    const kind = kindIn(line);
    if (kind === 'anchor' || kind === 'checkpoint') continue;
    const sequence = recordOrNull(line)?.sequence ?? tally.last + 1;
    tally.last = sequence;
    if (sequence > upTo) tally.ahead += 1;
    if (sequence <= after || sequence > upTo) continue;
    tally.count += 1 + tally.ahead;
    tally.ahead = 0;
  }
}
