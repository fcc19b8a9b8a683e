import type { Extent } from './extents.ts';
import { kindOf } from './file-lines.ts';
import type { Place } from './narrow.ts';
import { type Line, linesBackward, linesForward } from './read-lines.ts';
import { type RecordLine, recordIn } from './record-in.ts';

/** The records between two places, the last one first. */
export function* recordsBackward(files: readonly Extent[], low: Place, high: Place): Generator<RecordLine, void> {
  for (const [index, { path, end }] of [...files.entries()].toReversed()) {
    if (index > high.file || index < low.file) continue;
    const from = index === low.file ? low.offset : 0;
    for (const line of linesBackward(path, from, index === high.file ? high.offset : end)) {
      if (kindOf(line) === 'record') yield recordIn(line);
    }
  }
}

/** All lines from a place on. */
export function* linesFrom(files: readonly Extent[], place: Place): Generator<Line, void> {
  for (const [index, { path, end }] of files.entries()) {
    if (index >= place.file) yield* linesForward(path, index === place.file ? place.offset : 0, end);
  }
}
