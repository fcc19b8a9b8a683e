import { join } from 'node:path';
import { type Extent, extentsIn, unlessRetired } from './extents.ts';
import { leafHash } from '../chain/extend.ts';
import { anchorIn, kindOf, parsedJson } from './file-lines.ts';
import { narrow } from './narrow.ts';
import { ORDER_SLACK } from './order-slack.ts';
import { brokenLine, CHUNK, linesBackward, linesForward, readRange } from './read-lines.ts';
import { canonicalIn, type RecordLine, recordIn } from './record-in.ts';
import { instancesIn } from './record-files.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The published record of an id, or null. The id is a UUIDv7: only files around its time are searched. */
export function findRecord(directory: string, id: string): string | null {
  if (!UUID.test(id)) return null;
  for (const instance of instancesIn(directory)) {
    const found = unlessRetired(() => findIn(join(directory, instance), id), null);
    if (found !== null) return found;
  }
  return null;
}

function findIn(folder: string, id: string): string | null {
  const files = extentsIn(folder);
  const time = idTime(id);
  const { low } = narrow(files, (record) => idTime(record.id) < time - ORDER_SLACK);
  const { high } = narrow(files, (record) => idTime(record.id) <= time + ORDER_SLACK);
  for (const [index, extent] of files.entries()) {
    if (index < low.file || index > high.file) continue;
    const from = index === low.file ? low.offset : 0;
    const found = findInFile(extent, from, index === high.file ? high.offset : extent.end, id);
    if (found !== null) return found;
  }
  return null;
}

/** Looks for the bytes of the id first, which takes a fraction of the time of looking at each line. */
function findInFile({ path, end }: Extent, from: number, to: number, id: string): string | null {
  const wanted = Buffer.from(`"id":"${id}"`);
  for (let start = from; start < to; start += 16 * CHUNK) {
    const chunk = readRange(path, start, Math.min(to, start + 16 * CHUNK + wanted.length - 1));
    for (let at = chunk.indexOf(wanted); at !== -1; at = chunk.indexOf(wanted, at + 1)) {
      const found = recordAround(path, start + at, end);
      if (found?.id === id) {
        parsedJson(found.line);
        requireInPlace(found, end);
        return found.line.text;
      }
    }
  }
  return null;
}

function recordAround(path: string, offset: number, end: number) {
  const [before] = linesBackward(path, 0, offset);
  const [line] = linesForward(path, before?.offset ?? 0, end);
  return line !== undefined && kindOf(line) === 'record' ? recordIn(line) : null;
}

/**
 * One record is all that is looked at, so it must be the one of its hash, and fit those beside it: another one of the same
 * id may stand next to it.
 */
function requireInPlace(record: RecordLine, end: number): void {
  const { line, sequence, hash, previousHash } = record;
  const isWhole = leafHash(canonicalIn(record)).toString('hex') === hash;
  if (!isWhole) throw brokenLine(line, 'the record is not the one that its hash was made of');
  const before = stateBefore(record);
  if (before.sequence + 1 !== sequence || before.hash !== previousHash) {
    throw brokenLine(line, `the record does not follow record ${before.sequence}`);
  }
  for (const behind of linesForward(line.path, line.next, end)) {
    if (kindOf(behind) !== 'record') continue;
    const next = recordIn(behind);
    if (next.sequence === sequence + 1 && next.previousHash === hash) return;
    throw brokenLine(behind, `the record does not follow record ${sequence}`);
  }
}

/** `hash` is hex. */
function stateBefore({ line }: RecordLine): { readonly sequence: number; readonly hash: string | null } {
  for (const before of linesBackward(line.path, 0, line.offset)) {
    const kind = kindOf(before);
    if (kind === 'record') return recordIn(before);
    if (kind !== 'anchor') continue;
    const { sequence, hash } = anchorIn(before).head;
    return { sequence, hash: hash?.toString('hex') ?? null };
  }
  throw brokenLine({ ...line, offset: 0 }, 'the file has no anchor');
}

/** The time in a UUIDv7, milliseconds since the epoch (RFC 9562 §5.7). */
function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
