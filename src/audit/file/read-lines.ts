import { closeSync, constants, openSync, readSync } from 'node:fs';

/** A line of a file, without its line end. */
export type Line = {
  readonly path: string;
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly next: number;
  readonly text: string;
  /** False for the last one of a file that ends without a line end. */
  readonly complete: boolean;
};

/** Bytes read at a time. */
export const CHUNK = 64 * 1024;

/** Bytes of a line, its end included: what a reader has in memory of a file that is not as it was written. */
export const LONGEST_LINE = 1024 * 1024;

/** Bytes of zeros that are read through: more than a commit can have, which is one string until it is written. */
const MOST_ZEROS = 512 * 1024 * 1024;

const LINE_END = 0x0a;

/** A link or a pipe in a file's place is not followed, and not waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The lines from a line's beginning on, up to the byte `to`. Pages of zeros, which a power cut can leave in a commit, come in
 * pieces: each is a line with NUL in it.
 *
 * @throws {Error} for a longer line than we write: the file would have to be read into memory as a whole.
 */
export function* linesForward(path: string, from: number, to: number): Generator<Line, void> {
  let rest = Buffer.alloc(0);
  let offset = from;
  let zeros = 0;
  for (;;) {
    const start = offset + rest.length;
    // A long line is read in growing pieces, or joining them would take the square of its length.
    const chunk = readRange(path, start, Math.min(to, start + Math.max(4 * CHUNK, rest.length)));
    if (chunk.length === 0) break;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let begin = 0;
    for (let end = bytes.indexOf(LINE_END, rest.length); end !== -1; end = bytes.indexOf(LINE_END, begin)) {
      if (end + 1 - begin > LONGEST_LINE) {
        requireZeros(bytes.subarray(begin, end), 0, () => brokenLine({ path, offset: offset + begin }, TOO_LONG));
      }
      const text = bytes.toString('utf8', begin, end);
      yield { path, offset: offset + begin, next: offset + end + 1, text, complete: true };
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
    offset += begin;
    if (rest.length <= LONGEST_LINE) continue;
    requireZeros(rest, (zeros += rest.length), () => brokenLine({ path, offset }, TOO_LONG));
    yield { path, offset, next: offset + rest.length, text: rest.toString('utf8'), complete: false };
    offset += rest.length;
    rest = Buffer.alloc(0);
  }
  if (rest.length > 0) {
    yield { path, offset, next: offset + rest.length, text: rest.toString('utf8'), complete: false };
  }
}

/**
 * The lines before the byte `to`, the last one first, back to `from`, where a line begins. Pages of zeros come in pieces.
 *
 * @throws {Error} for a longer line than we write.
 */
export function* linesBackward(path: string, from: number, to: number): Generator<Line, void> {
  let rest = Buffer.alloc(0);
  let zeros = 0;

  function lineOf(bytes: Buffer, offset: number): Line {
    const next = offset + bytes.length;
    const isLong = bytes.length > LONGEST_LINE;
    if (isLong) requireZeros(bytes, zeros, () => new Error(`${path}: the line that ends at byte ${next}: ${TOO_LONG}`));
    const complete = bytes.at(-1) === LINE_END;
    const text = bytes.toString('utf8', 0, complete ? bytes.length - 1 : bytes.length);
    return { path, offset, next, text, complete };
  }

  for (let start = to; start > from; ) {
    const end = start;
    start = Math.max(from, end - Math.max(CHUNK, rest.length));
    const chunk = readRange(path, start, end);
    const bytes = rest.length === 0 ? chunk : Buffer.concat([chunk, rest]);
    let lineEnd = bytes.length;
    while (lineEnd > 0) {
      const before = lineEnd < 2 ? -1 : bytes.lastIndexOf(LINE_END, lineEnd - 2);
      if (before === -1 && start > from) break;
      yield lineOf(bytes.subarray(before + 1, lineEnd), start + before + 1);
      lineEnd = before + 1;
    }
    rest = bytes.subarray(0, lineEnd);
    if (rest.length <= LONGEST_LINE || start === from) continue;
    zeros += rest.length;
    yield lineOf(rest, start);
    rest = Buffer.alloc(0);
  }
}

const TOO_LONG = 'it is longer than 1 MiB';

/** No line of ours has NUL, for JSON escapes it: what has some is of a write that was not finished, of whatever length. */
function requireZeros(bytes: Buffer, length: number, error: () => Error): void {
  if (!bytes.includes(0) || length > MOST_ZEROS) throw error();
}

/** The bytes of a range, fewer when the file ends before. */
export function readRange(path: string, from: number, to: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
  if (bytes.length === 0) return bytes;
  // Opened for each read: a walk over thousands of files holds none of them open, and none that was removed.
  const descriptor = openSync(path, READ_FLAGS);
  try {
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, from + length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** An error about a line, for operators: file, number of the line, and what is wrong with it. */
export function brokenLine({ path, offset }: Pick<Line, 'path' | 'offset'>, why: string): Error {
  return new Error(`${path}:${lineNumber(path, offset)}: ${why}`);
}

function lineNumber(path: string, offset: number): number {
  let lines = 1;
  for (let start = 0; start < offset; start += 16 * CHUNK) {
    const chunk = readRange(path, start, Math.min(offset, start + 16 * CHUNK));
    for (let at = chunk.indexOf(LINE_END); at !== -1; at = chunk.indexOf(LINE_END, at + 1)) lines += 1;
  }
  return lines;
}
