import { join } from 'node:path';
import type { StoredChain, StoredCheckpoint, StoredRecord } from '../store.ts';
import { type Extent, extentsIn } from './extents.ts';
import { type Anchor, anchorIn, checkpointIn, kindOf, type LineKind } from './file-lines.ts';
import { narrow } from './narrow.ts';
import { brokenLine, CHUNK, type Line, linesBackward, linesForward } from './read-lines.ts';
import { canonicalIn, type RecordLine, recordIn } from './record-in.ts';
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

/** The records of an instance behind `after`, as they stand in its files. */
export function* readRecords(folder: string, after: number): Generator<StoredRecord, void> {
  const files = extentsIn(folder);
  let isBehind = false;
  let last: RecordLine | null = null;
  for (const { kind, line } of linesFrom(files, narrow(files, ({ sequence }) => sequence <= after).low)) {
    if (kind === 'anchor')
      requireContinued(anchorIn(line), last, () => brokenLine(line, 'the anchor is not that of the records before it'));
    if (kind !== 'record') continue;
    last = recordIn(line);
    // Once there, records that are out of order are given as they stand.
    isBehind ||= last.sequence > after;
    if (isBehind) yield { sequence: last.sequence, hash: Buffer.from(last.hash, 'hex'), canonical: canonicalIn(last) };
  }
}

/** A new file begins with its anchor once those before it are retired: a wrong one must show while they are there. */
function requireContinued({ head }: Anchor, last: RecordLine | null, error: () => Error): void {
  if (last === null || last.sequence < head.sequence) return;
  if (last.sequence > head.sequence || last.hash !== head.hash?.toString('hex')) throw error();
}

/** The kept checkpoints of an instance behind `after`; that of the anchor its first file begins with is one of them. */
export function* readCheckpoints(folder: string, after: number): Generator<StoredCheckpoint, void> {
  const files = extentsIn(folder);
  let last: StoredCheckpoint | null = null;
  for (const { kind, line } of linesFrom(files, narrow(files, ({ sequence }) => sequence <= after).low)) {
    const found = keptIn(kind, line);
    if (found === null || found.size <= after) continue;
    if (found.size === last?.size && found.note === last.note) continue;
    if (last !== null && found.size <= last.size) throw brokenLine(line, `it stands behind one of size ${last.size}`);
    last = found;
    yield found;
  }
}

function keptIn(kind: LineKind, line: Line): StoredCheckpoint | null {
  if (kind === 'checkpoint') {
    const { kept, size, note } = checkpointIn(line);
    return kept ? { size, note } : null;
  }
  if (kind !== 'anchor' || line.offset > 0) return null;
  const { head, checkpoint } = anchorIn(line);
  return checkpoint === null ? null : { size: head.sequence, note: checkpoint };
}
