import { statSync } from 'node:fs';
import { rootIn } from '../chain/checkpoint.ts';
import { leafHash } from '../chain/extend.ts';
import { rootOf, withLeaves } from '../chain/frontier.ts';
import { logOrigin } from '../chain/log-origin.ts';
import { type Anchor, anchorIn, checkpointIn, kindOf, mayBeginLine } from './file-lines.ts';
import { headerOf, readEnd } from './read-chains.ts';
import { brokenLine, type Line, linesBackward, linesForward } from './read-lines.ts';
import { canonicalIn, recordIn } from './record-in.ts';
import type { RecordFile } from './record-files.ts';

/** The end of a chain as its last file has it. */
export type RecoveredEnd = Anchor & {
  /** Whether the checkpoint is kept for good, as far as is known. */
  readonly kept: boolean;
  /** Bytes of the file that count. What is behind them was being written when the process died: nobody was told of it. */
  readonly length: number;
  /** Where the anchor begins that the state was computed from, in bytes. */
  readonly anchoredAt: number;
  /** Hex; undefined for a record before the anchor and behind the end. */
  hashOf(sequence: number): string | null | undefined;
};

/**
 * Reads the last file of a chain from its last anchor on, and computes the chain's state at its end.
 *
 * A write that a dying process left half done has no checkpoint behind it, and after a power cut it can have pages of zeros
 * in it. Anything else that is not as it was written is an `Error`: nothing is repaired silently.
 */
export function recoverEnd(file: RecordFile, instance: string): RecoveredEnd {
  headerOf(file);
  const size = statSync(file.path).size;
  const start = lastAnchor(file, size);
  const anchor = anchorIn(start);
  requireContinued(file, start, anchor);
  const hashes = new Map([[anchor.head.sequence, anchor.head.hash?.toString('hex') ?? null]]);
  const leaves: Buffer[] = [];
  let { sequence, hash } = anchor.head;
  let end = { ...anchor, kept: start.offset === 0, length: start.offset === 0 ? start.next : start.offset };

  function takeRecord(line: Line): void {
    const record = recordIn(line);
    const leaf = leafHash(canonicalIn(record));
    const follows = record.sequence === sequence + 1 && record.previousHash === (hash?.toString('hex') ?? null);
    if (!follows) throw brokenLine(line, `the record does not follow record ${sequence}`);
    if (leaf.toString('hex') !== record.hash)
      throw brokenLine(line, 'the record is not the one that its hash was made of');
    ({ sequence } = record);
    hash = leaf;
    hashes.set(sequence, record.hash);
    leaves.push(leaf);
  }

  function takeCheckpoint(line: Line): void {
    const { note, kept, size } = checkpointIn(line);
    const frontier = withLeaves(end.head.frontier, leaves.splice(0));
    const fits =
      size === sequence && rootIn(note).equals(rootOf(frontier)) && note.startsWith(`${logOrigin(instance)}\n`);
    if (!fits) throw brokenLine(line, 'the checkpoint is not that of the records before it');
    const isKept = kept || (end.kept && end.head.sequence === size);
    end = { head: { sequence, hash, frontier }, checkpoint: note, kept: isKept, length: line.next };
  }

  for (const line of linesForward(file.path, start.next, size)) {
    if (isUnfinished(line, size)) break;
    const kind = kindOf(line);
    if (kind === 'record') takeRecord(line);
    if (kind === 'checkpoint') takeCheckpoint(line);
  }
  return { ...end, anchoredAt: start.offset, hashOf: (sequence) => hashes.get(sequence) };
}

/** A copy of an earlier anchor has a good signature, and would take the chain back to where it was. */
function requireContinued(file: RecordFile, line: Line, { head }: Anchor): void {
  if (line.offset === 0) return;
  const { record } = readEnd({ ...file, end: line.offset });
  if (record?.sequence !== head.sequence || record.hash !== head.hash?.toString('hex')) {
    throw brokenLine(line, 'the anchor is not that of the records before it');
  }
}

/** The last anchor that was written to its end. */
function lastAnchor({ path }: RecordFile, size: number): Line {
  for (const line of linesBackward(path, 0, size)) {
    if (line.complete && !line.text.includes('\0') && kindOf(line) === 'anchor') return line;
  }
  throw brokenLine({ path, offset: 0 }, 'the file has no anchor');
}

/** Whether a line, and with it all behind it, is of a write that was not finished. */
function isUnfinished(line: Line, size: number): boolean {
  // No line of ours has NUL, for JSON escapes it.
  if (line.text.includes('\0')) return !isFollowedByCommit(line, size);
  return !line.complete && mayBeginLine(line);
}

/** Behind the zeros of a commit its own checkpoint may stand, never that of a later one. */
function isFollowedByCommit({ path, next }: Line, size: number): boolean {
  let checkpoints = 0;
  for (const line of linesForward(path, next, size)) if (line.text.startsWith('{"checkpoint":')) checkpoints += 1;
  return checkpoints > 1;
}
