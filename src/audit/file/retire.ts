import { unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { leafHash } from '../chain/extend.ts';
import { type Frontier, rootOf, withLeaves } from '../chain/frontier.ts';
import { syncDirectory } from '../directory.ts';
import { type Extent, extentsIn } from './extents.ts';
import { kindOf } from './file-lines.ts';
import { headerOf, readEnd } from './read-chains.ts';
import { brokenLine, linesForward } from './read-lines.ts';
import { canonicalIn, recordIn } from './record-in.ts';
import { instancesIn, isMissing } from './record-files.ts';

/** How long a slice of the work may take; removing a large file can take longer. Milliseconds. */
const SLICE = 40;

/** Records read between two looks at the clock. */
const STEP = 100;

/** How far the oldest file of an instance is read. */
type Scan = {
  readonly path: string;
  readonly frontier: Frontier;
  /** Of all records so far, milliseconds since the epoch. */
  readonly latest: number;
  /** Bytes. */
  readonly offset: number;
};

/** Removes the oldest files of every instance, never the last one of any: there its chain goes on. */
export function createRetirement(directory: string): {
  /**
   * About 50 ms of work. `before` is in milliseconds since the epoch.
   *
   * @returns whether more is left
   * @throws {Error} when a file is not what was written: removing it would remove what shows that. The next call goes on
   *   with the next instance.
   */
  slice(before: number): boolean;
} {
  const scans = new Map<string, Scan>();
  /** The instance that was looked at last, until all were. */
  let done = '';

  /** Whether something was done, and more may be. */
  function retireFrom(instance: string, before: number, stop: number): boolean {
    const [oldest, next] = extentsIn(join(directory, instance));
    if (oldest === undefined || next === undefined) return false;
    // Nearly the latest: spares reading all of a file that is not due.
    if ((readEnd(oldest).record?.time ?? Number.POSITIVE_INFINITY) >= before) return false;
    const known = scans.get(instance);
    const scan = scanOn(oldest, known?.path === oldest.path ? known : beginScan(oldest), stop);
    scans.set(instance, scan);
    if (scan.offset < oldest.end) return true;
    if (scan.latest >= before) return false;
    requireContinued(oldest, scan, next);
    remove(oldest.path);
    scans.delete(instance);
    return true;
  }

  return {
    slice(before) {
      const stop = performance.now() + SLICE;
      for (const instance of instancesIn(directory).filter((name) => name > done)) {
        if (performance.now() > stop) return true;
        try {
          while (retireFrom(instance, before, stop)) if (performance.now() > stop) return true;
          done = instance;
        } catch (error) {
          done = instance;
          throw error;
        }
      }
      done = '';
      return false;
    },
  };
}

function beginScan(file: Extent): Scan {
  return { path: file.path, frontier: headerOf(file).head.frontier, latest: 0, offset: 0 };
}

/** Reads on until `stop`, a time of `performance.now()`. */
function scanOn({ path, end }: Extent, scan: Scan, stop: number): Scan {
  const leaves: Buffer[] = [];
  let { frontier, latest, offset } = scan;
  for (const line of linesForward(path, offset, end)) {
    offset = line.next;
    if (kindOf(line) !== 'record') continue;
    const record = recordIn(line);
    latest = Math.max(latest, record.time);
    if (leaves.push(leafHash(canonicalIn(record))) < STEP) continue;
    frontier = withLeaves(frontier, leaves.splice(0));
    if (performance.now() > stop) break;
  }
  return { path, frontier: withLeaves(frontier, leaves), latest, offset };
}

/** What is left must verify from the next file's anchor, and the checkpoint there must be that of what goes. */
function requireContinued(oldest: Extent, { frontier }: Scan, next: Extent): void {
  const anchor = headerOf(next);
  const { checkpoint, record } = readEnd(oldest);
  const fits =
    checkpoint?.kept === true &&
    checkpoint.note === anchor.checkpoint &&
    record?.hash === anchor.head.hash?.toString('hex') &&
    frontier.size === anchor.head.sequence &&
    rootOf(frontier).equals(rootOf(anchor.head.frontier));
  if (!fits) {
    throw brokenLine(
      { path: next.path, offset: 0 },
      'the records before it are not retired: they do not end in this anchor',
    );
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Another instance that shares the directory did it.
    if (!isMissing(error)) throw error;
  }
  syncDirectory(dirname(path));
}
