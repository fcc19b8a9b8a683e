import { join } from 'node:path';
import type { StoredChain, StoredCheckpoint, StoredRecord } from '../store.ts';
import { type Extent, extentsIn } from './extents.ts';
import { type Anchor, anchorIn, checkpointIn, kindIn, kindOf } from './file-lines.ts';
import { narrow } from './narrow.ts';
import { brokenLine, CHUNK, type Line, linesBackward, linesForward } from './read-lines.ts';
import { canonicalIn, type RecordLine, recordIn, recordOrNull } from './record-in.ts';
import { instancesIn, type RecordFile } from './record-files.ts';
import { linesFrom } from './walk.ts';

/** The chains of all instances that have written something. */
export function readChains(directory: string): StoredChain[] {
  return instancesIn(directory).flatMap((instance): StoredChain[] => {
    const files = extentsIn(join(directory, instance));
    const [first] = files;
    const last = files.at(-1);
    if (first === undefined || last === undefined) return [];
    const { head: anchor } = headerOf(first);
    const head = readHead(last);
    if (anchor.sequence === 0 && head === null) return [];
    return [{ instance, anchor: anchor.sequence === 0 ? null : anchor, head }];
  });
}

/** The anchor that a file begins with. @throws {Error} when it has none, or the file's name is not that of what follows. */
export function headerOf(file: RecordFile): Anchor {
  const [line] = linesForward(file.path, 0, CHUNK);
  if (line === undefined || kindOf(line) !== 'anchor')
    throw brokenLine({ ...file, offset: 0 }, 'the file has no anchor');
  const anchor = anchorIn(line);
  if (anchor.head.sequence + 1 !== file.first) throw brokenLine(line, 'the anchor is not that of the file’s name');
  return anchor;
}

function readHead(file: Extent): StoredChain['head'] {
  const { checkpoint, record } = readEnd(file);
  if (checkpoint !== null && record !== null) {
    return { sequence: record.sequence, hash: Buffer.from(record.hash, 'hex'), checkpoint: checkpoint.note };
  }
  const anchor = headerOf(file);
  if (anchor.checkpoint === null) return null;
  return { sequence: anchor.head.sequence, hash: anchor.head.hash, checkpoint: anchor.checkpoint };
}

/** The last checkpoint line and the last record of a file; null when it has none. */
export function readEnd({ path, end }: Extent): {
  readonly checkpoint: ReturnType<typeof checkpointIn> | null;
  readonly record: RecordLine | null;
} {
  let checkpoint: ReturnType<typeof checkpointIn> | null = null;
  for (const line of linesBackward(path, 0, end)) {
    const kind = kindOf(line);
    if (kind === 'checkpoint') checkpoint ??= checkpointIn(line);
    if (kind === 'record') return { checkpoint, record: recordIn(line) };
  }
  return { checkpoint, record: null };
}

/**
 * The records of an instance behind `after`, as they stand in its files. A line that is not as it was written is an error
 * for whoever asks for what stands in its place, and passed over for who asks for records behind that.
 */
export function* readRecords(folder: string, after: number): Generator<StoredRecord, void> {
  const files = extentsIn(folder);
  const { low } = narrow(files, ({ sequence }) => sequence <= after);
  let last: LastRecord = { sequence: (files[low.file]?.first ?? 1) - 1, hash: null };
  let isBehind = false;
  for (const line of linesFrom(files, low)) {
    const isSought = last.sequence >= after;
    const kind = isSought ? kindOf(line) : kindIn(line);
    if (kind === 'anchor' && isSought) requireContinued(line, last, files);
    if (kind === 'anchor' || kind === 'checkpoint') continue;
    const record = isSought ? recordIn(line) : recordOrNull(line);
    last = record ?? { sequence: last.sequence + 1, hash: null };
    // From there on records that are out of order are given as they stand.
    isBehind ||= last.sequence > after;
    if (record === null || !isBehind) continue;
    yield { sequence: record.sequence, hash: Buffer.from(record.hash, 'hex'), canonical: canonicalIn(record) };
  }
}

/** `hash` is hex; null when it is not known. */
type LastRecord = { readonly sequence: number; readonly hash: string | null };

/** A chain begins with this anchor once the files before it are retired: a wrong one must show while they are there. */
function requireContinued(line: Line, { sequence, hash }: LastRecord, files: readonly RecordFile[]): void {
  const { head } = anchorIn(line);
  // Where a file begins, the one before it may have been removed: the records that are missing show that.
  const expected = line.offset > 0 ? sequence : (files.find(({ path }) => path === line.path)?.first ?? 0) - 1;
  const isLast = head.sequence === sequence && (hash === null || hash === head.hash?.toString('hex'));
  if (head.sequence !== expected || !(isLast || head.sequence > sequence)) {
    throw brokenLine(line, 'the anchor is not that of the records before it');
  }
}

/**
 * The kept checkpoints of an instance behind `after`; that of the anchor its first file begins with is one of them. What
 * else is in the files is for whoever reads the records.
 */
export function* readCheckpoints(folder: string, after: number): Generator<StoredCheckpoint, void> {
  const files = extentsIn(folder);
  let last: StoredCheckpoint | null = null;
  for (const line of linesFrom(files, narrow(files, ({ sequence }) => sequence <= after).low)) {
    const found = keptIn(line);
    if (found === null || found.size <= after) continue;
    if (found.size === last?.size && found.note === last.note) continue;
    if (last !== null && found.size <= last.size) throw brokenLine(line, `it stands behind one of size ${last.size}`);
    last = found;
    yield found;
  }
}

function keptIn(line: Line): StoredCheckpoint | null {
  const kind = kindIn(line);
  if (kind === 'checkpoint') {
    const { kept, size, note } = checkpointIn(line);
    return kept ? { size, note } : null;
  }
  if (kind !== 'anchor' || line.offset > 0) return null;
  const { head, checkpoint } = anchorIn(line);
  return checkpoint === null ? null : { size: head.sequence, note: checkpoint };
}
