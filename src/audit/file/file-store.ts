import { constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditStore } from '../audit-store.ts';
import { EMPTY_FRONTIER } from '../chain/frontier.ts';
import { createDirectory, syncDirectory } from '../directory.ts';
import { type ChainHead, type Commit, HeadMoved, Passing, type Store } from '../store.ts';
import { type AppendFile, createWholeFile, openAppendFile, writeDurably } from './append-file.ts';
import { type Anchor, anchorLine, checkpointLine, recordLine } from './file-lines.ts';
import { takeLock } from './lock.ts';
import { LONGEST_LINE } from './read-lines.ts';
import { isInstanceName, type RecordFile, recordFileIn, recordFilesIn } from './record-files.ts';
import { recoverEnd } from './recover.ts';
import { createRetirement } from './retire.ts';

/** Bytes between two anchors in a file: what is read when a store is opened, whatever `rotateSize` is. */
const ANCHOR_INTERVAL = 8 * 1024 * 1024;

/** A link in its place is not followed, and a pipe not waited for. */
const PROBE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The end of the chain, and the file that it is in. */
type End = Anchor & {
  readonly kept: boolean;
  readonly file: AppendFile;
  /** The sequence number of the file's first record. */
  readonly first: number;
  /** Where the file's last anchor begins, in bytes. */
  readonly anchoredAt: number;
};

/**
 * Files of one JSON record a line, `DIRECTORY/INSTANCE/NUMBER.ndjson`, that are only ever appended to. One process at a
 * time writes for an instance.
 *
 * @throws {Error} for an instance name whose folder no reader would look into.
 */
export function createFileStore(
  { directory, rotateSize }: Extract<AuditStore, { type: 'file' }>,
  instance: string,
): Store {
  if (!isInstanceName(instance)) {
    throw new Error(`${JSON.stringify(instance)} is no instance's name: no reader would find the records under it`);
  }
  const folder = join(directory, instance);
  const retirement = createRetirement(directory);
  let lock: ReturnType<typeof takeLock> | null = null;
  let end: End | null = null;
  /** What was last known to be there: a store that has lost it is not taken for a sound one when it is opened again. */
  let known: { readonly path: string; readonly head: ChainHead } | null = null;

  function openEnd(create: boolean): void {
    const last = recordFilesIn(folder).at(-1);
    if (known !== null && !existsSync(known.path)) throw removed();
    if (last === undefined && !create) throw removed();
    if (last === undefined) return beginFile({ head: NO_RECORDS, checkpoint: null });
    continueFile(last);
  }

  function continueFile({ path, first }: RecordFile): void {
    const { hashOf, length, ...recovered } = recoverEnd({ path, first }, instance);
    const hash = known?.head.hash?.toString('hex') ?? null;
    if (known !== null && hashOf(known.head.sequence) !== hash) throw new Error('records were removed while in use');
    end = { ...recovered, first, file: openAppendFile(path, length) };
    known = { path, head: end.head };
  }

  function beginFile(anchor: Anchor): void {
    const { path, first } = recordFileIn(folder, anchor.head.sequence + 1);
    const text = anchorLine(anchor);
    createWholeFile(path, text);
    const file = openAppendFile(path, Buffer.byteLength(text));
    end?.file.close();
    end = { ...anchor, kept: true, file, first, anchoredAt: 0 };
    known = { path, head: anchor.head };
  }

  function opened(): End {
    if (end === null) throw new Error('the store is not open');
    return end;
  }

  /**
   * A file ends in a kept checkpoint, so that it can be retired as a whole.
   *
   * The writer does not hear that this one is kept, so it is not printed: the next one that is covers its records too. In
   * print it would do no harm either: it is the note that was signed of these very records, and no other can be there.
   */
  function rotate(): void {
    const { head, checkpoint, kept, file, first } = opened();
    if (file.length() < rotateSize || head.sequence < first || checkpoint === null) return;
    file.requireInPlace();
    if (!kept) keep(checkpoint);
    beginFile({ head, checkpoint });
  }

  function keep(checkpoint: string): void {
    const current = opened();
    current.file.append(checkpointLine(checkpoint, true));
    end = { ...current, checkpoint, kept: true };
  }

  function commit({ before, after, records, checkpoint, keep }: Commit): void {
    if (!isSame(before, opened().head)) throw new HeadMoved();
    const lines = records.map(recordLine);
    requireReadable(lines);
    rotate();
    const { file, anchoredAt, first, ...anchor } = opened();
    const isAnchored = file.length() - anchoredAt < ANCHOR_INTERVAL;
    const nextAnchor = isAnchored ? anchoredAt : file.length();
    file.append([...(isAnchored ? [] : [anchorLine(anchor)]), ...lines, checkpointLine(checkpoint, keep)].join(''));
    end = { head: after, checkpoint, kept: keep, file, first, anchoredAt: nextAnchor };
    known = { path: file.path, head: after };
  }

  function close(): void {
    end?.file.close();
    end = null;
    lock?.release();
    lock = null;
  }

  return {
    async open(create) {
      if (create) createDirectory(folder);
      if (!create && recordFilesIn(folder).length === 0) throw removed();
      try {
        proveWritable(folder);
        lock = takeLock(folder);
        openEnd(create);
      } catch (error) {
        close();
        throw error;
      }
    },
    async head() {
      const { head, checkpoint } = opened();
      return { ...head, checkpoint };
    },
    async commit(records) {
      commit(records);
    },
    async keep(size, checkpoint) {
      if (opened().head.sequence !== size) throw new HeadMoved();
      keep(checkpoint);
    },
    async probe() {
      opened().file.requireInPlace();
      proveWritable(folder);
    },
    freeBytes() {
      if (!existsSync(folder)) throw removed();
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    async tidy(retireBefore) {
      return retireBefore !== null && retirement.slice(retireBefore);
    },
    async close() {
      close();
    },
  };
}

const NO_RECORDS: ChainHead = { sequence: 0, hash: null, frontier: EMPTY_FRONTIER };

/** @throws {Passing} for a line that no reader would take. Requests are far smaller. */
function requireReadable(lines: readonly string[]): void {
  if (lines.some((line) => Buffer.byteLength(line) > LONGEST_LINE)) throw new Passing('a record is longer than 1 MiB');
}

/** A write that allocates space, and names that are on the disk. */
function proveWritable(folder: string): void {
  writeDurably(join(folder, 'probe'), PROBE_FLAGS, `${Date.now()}\n`);
  syncDirectory(folder);
}

function isSame(one: ChainHead, other: ChainHead): boolean {
  return one.sequence === other.sequence && one.hash?.toString('hex') === other.hash?.toString('hex');
}

function removed(): Error {
  return new Error('the file was removed while in use');
}
