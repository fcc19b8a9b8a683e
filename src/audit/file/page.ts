import { join } from 'node:path';
import { type AuditPage, type AuditQuery, UnknownCursor } from '../../issuance/audit-query.ts';
import { cursorKey, cursorOf, positionsOf } from './cursor.ts';
import { type Extent, extentsIn, unlessRetired } from './extents.ts';
import { matchesFilter } from './matches-filter.ts';
import { narrow, type Place } from './narrow.ts';
import { brokenLine } from './read-lines.ts';
import { type RecordLine } from './record-in.ts';
import { instancesIn } from './record-files.ts';
import { ORDER_SLACK } from './order-slack.ts';
import { recordsBackward } from './walk.ts';

/** Records and bytes looked at for one page: no query keeps the others waiting long. */
const MOST_RECORDS = 50_000;
const MOST_BYTES = 32 * 1024 * 1024;

/** The records of one instance that are left to look at. */
type Stream = {
  /** Stands for the instance in a cursor. */
  readonly key: string;
  /** The newest one. */
  head: RecordLine | null;
  /** The one before the head. */
  next(): RecordLine | null;
};

/**
 * Reads the newest records, or those behind a cursor.
 *
 * Each instance's records come in the order of its chain, from its end: an order that nothing changes. Of all instances the
 * record with the greatest id comes next, which is the newest. So a record is out of the order of time only when its own
 * chain has it so: by as long as its request took, some seconds at most.
 *
 * A cursor has the place in each chain, so a walk loses and repeats no record that was there when it began; records that
 * come later, and instances, are for the next walk.
 */
export function readPage(directory: string, { filter, limit, cursor }: AuditQuery): AuditPage {
  const streams = streamsOf(directory, filter, cursor);
  const matches = matchesFilter(filter);
  const events: string[] = [];
  let records = 0;
  let bytes = 0;
  for (let newest = newestOf(streams); ; newest = newestOf(streams)) {
    if (newest === null) return { events, next: null };
    if (events.length >= limit || records >= MOST_RECORDS || bytes >= MOST_BYTES) break;
    const { line } = newest.head;
    if (matches(newest.head)) events.push(line.text);
    records += 1;
    bytes += line.next - line.offset;
    newest.stream.head = newest.stream.next();
  }
  const positions = streams.flatMap(({ key, head }): [string, number][] =>
    head === null ? [] : [[key, head.sequence]],
  );
  return { events, next: cursorOf(new Map(positions)) };
}

function newestOf(streams: readonly Stream[]): { readonly stream: Stream; readonly head: RecordLine } | null {
  let newest: ReturnType<typeof newestOf> = null;
  for (const stream of streams) {
    if (stream.head !== null && (newest === null || stream.head.id > newest.head.id))
      newest = { stream, head: stream.head };
  }
  return newest;
}

function streamsOf(directory: string, filter: AuditQuery['filter'], cursor: string | undefined): Stream[] {
  const positions = cursor === undefined ? null : positionsOf(cursor);
  const instances = instancesIn(directory).map((instance) => ({ instance, key: cursorKey(instance) }));
  const keys = new Set(instances.map(({ key }) => key));
  if (positions !== null && [...positions.keys()].some((key) => !keys.has(key))) throw new UnknownCursor();
  return instances.flatMap(({ instance, key }): Stream[] => {
    const last = positions === null ? Number.POSITIVE_INFINITY : positions.get(key);
    if (last === undefined) return [];
    const records = newestFirst(join(directory, instance), filter, last);
    // A file that is retired meanwhile was the end of the walk.
    const next = () => unlessRetired(() => records.next().value ?? null, null);
    return [{ key, next, head: next() }];
  });
}

/** @param last the greatest sequence number of interest */
function* newestFirst(folder: string, { from, to }: AuditQuery['filter'], last: number): Generator<RecordLine, void> {
  const files = extentsIn(folder);
  const low = from === undefined ? START : narrow(files, ({ time }) => time < from - ORDER_SLACK).low;
  const highs = [{ file: files.length - 1, offset: files.at(-1)?.end ?? 0 }];
  if (last !== Number.POSITIVE_INFINITY) highs.push(narrow(files, ({ sequence }) => sequence <= last).high);
  if (to !== undefined) highs.push(narrow(files, ({ time }) => time < to + ORDER_SLACK).high);
  const records = recordsBackward(files, low, highs.reduce(earlier));
  // What stands before a record decides whether it is given: it may be retired meanwhile.
  const next = () => unlessRetired(() => records.next().value ?? null, null);
  let isReached = false;
  for (let record = next(); record !== null; ) {
    const before = next();
    isReached ||= record.sequence <= last;
    if (isReached) {
      requireInOrder(record, before, files);
      yield record;
    }
    record = before;
  }
}

/** Only somebody else writes such a file: what they put in must not pass for a record, and a walk might never end. */
function requireInOrder({ sequence, line }: RecordLine, before: RecordLine | null, files: readonly Extent[]): void {
  if (before !== null && before.sequence >= sequence) {
    throw brokenLine(before.line, `record ${before.sequence} stands before ${sequence}`);
  }
  const first = files.find(({ path }) => path === line.path)?.first ?? 0;
  if (sequence < first) throw brokenLine(line, `record ${sequence} stands in the file that begins with ${first}`);
}

const START: Place = { file: 0, offset: 0 };

function earlier(one: Place, other: Place): Place {
  return one.file < other.file || (one.file === other.file && one.offset < other.offset) ? one : other;
}
