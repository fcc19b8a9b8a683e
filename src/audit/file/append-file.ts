import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import { openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../directory.ts';
import { Passing } from '../store.ts';

/** A file that only grows, and of which nobody else may change anything while it is open. */
export type AppendFile = {
  readonly path: string;
  /** Bytes. */
  length(): number;
  /**
   * Adds to the end, durably, or leaves the file as it was.
   *
   * @throws {Passing} when the disk is full, and the file is as it was.
   * @throws {Error} otherwise. The text may be there.
   */
  append(text: string): void;
  /** @throws {Error} when the path names another file or none, or somebody else changed its length. */
  requireInPlace(): void;
  close(): void;
};

/** @param length what of the file counts, in bytes: the rest is cut off */
export function openAppendFile(path: string, length: number): AppendFile {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  let good = length;

  function cut(): void {
    ftruncateSync(descriptor, good);
    fsyncSync(descriptor);
  }

  function undo(cause: unknown): void {
    try {
      cut();
    } catch (error) {
      throw new Error(`${messageOf(cause)}, and what was written cannot be cut off: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  function requireInPlace(): void {
    const named = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (named === undefined) throw new Error('the file was removed while in use');
    if (named.dev !== dev || named.ino !== ino) throw new Error('the file was replaced while in use');
    if (named.size < good) throw new Error('the file was truncated while in use');
    if (named.size > good) throw new Error('somebody else wrote to the file while in use');
  }

  try {
    // Always: what a process that died wrote can be read before it is on the disk, and records are about to follow it.
    cut();
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return {
    path,
    length: () => good,
    append(text) {
      requireInPlace();
      const bytes = Buffer.from(text);
      try {
        writeAll(descriptor, bytes);
        fdatasyncSync(descriptor);
      } catch (error) {
        // After a failed sync the kernel takes what was written for clean, and never writes it: it must not stay.
        undo(error);
        throw isFull(error) ? new Passing(`the disk is full: ${messageOf(error)}`, { cause: error }) : error;
      }
      good += bytes.length;
      // A file that was taken away while it was written is written all the same.
      requireInPlace();
    },
    requireInPlace,
    close: () => closeSync(descriptor),
  };
}

/**
 * Makes a file with its content, mode 0600, durably: it is there as a whole or not at all.
 *
 * @throws {Passing} when the disk is full, and the file is not there.
 */
export function createWholeFile(path: string, text: string): void {
  const temporary = join(dirname(path), 'next');
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) throw new Error(`${path} is there already`);
  rmSync(temporary, { force: true });
  try {
    writeDurably(temporary, 'wx', text);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** @throws {Passing} when the disk is full. */
export function writeDurably(path: string, flags: string | number, text: string): void {
  try {
    const descriptor = openSync(path, flags, 0o600);
    try {
      writeAll(descriptor, Buffer.from(text));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw isFull(error) ? new Passing(`the disk is full: ${messageOf(error)}`, { cause: error }) : error;
  }
}

/** A full disk takes a part of a write before it refuses the rest. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written);
  }
}

/** No space, over the quota, or over the process's limit of a file's size. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(error.code));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
