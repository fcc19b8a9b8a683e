import { z } from 'zod';
import { publishedLine } from '../../issuance/published-record.ts';
import { rootIn } from '../chain/checkpoint.ts';
import { packFrontier, rootOf, unpackFrontier } from '../chain/frontier.ts';
import type { ChainedRecord, ChainHead } from '../store.ts';
import { brokenLine, type Line } from './read-lines.ts';

/*
 * The lines of a record file, each one JSON object:
 *   {"anchor":{…}}                     the chain's state before the next record: the first line of each file, and further
 *                                      ones every few MiB, so that opening the store need not read a whole file
 *   {"access_key_id":…,"hash":"…"}     a published record
 *   {"checkpoint":"…","kept":…}        behind the records of a commit; records without one behind them do not count
 */

/** The state of a chain and the signed checkpoint of it; null when the chain has no record yet. */
export type Anchor = { readonly head: ChainHead; readonly checkpoint: string | null };

export type CheckpointLine = { readonly note: string; readonly kept: boolean; readonly size: number };

export type LineKind = 'anchor' | 'record' | 'checkpoint';

const BEGINNINGS: readonly (readonly [kind: LineKind, text: string])[] = [
  ['record', '{"access_key_id":'],
  ['checkpoint', '{"checkpoint":'],
  ['anchor', '{"anchor":'],
];

export function anchorLine({ head, checkpoint }: Anchor): string {
  const { sequence: size, hash, frontier } = head;
  const edge = packFrontier(frontier).toString('base64');
  return `${JSON.stringify({ anchor: { size, hash: hash?.toString('hex') ?? null, frontier: edge, checkpoint } })}\n`;
}

export function recordLine({ canonical, hash }: ChainedRecord): string {
  return `${publishedLine(canonical, hash.toString('hex'))}\n`;
}

export function checkpointLine(checkpoint: string, kept: boolean): string {
  return `${JSON.stringify({ checkpoint, kept })}\n`;
}

/** Null for a line that is none of ours. */
export function kindIn({ text, complete }: Line): LineKind | null {
  const [kind] = BEGINNINGS.find(([, beginning]) => text.startsWith(beginning)) ?? [];
  return complete && kind !== undefined ? kind : null;
}

/** @throws {Error} for a line that is none of ours. */
export function kindOf(line: Line): LineKind {
  const kind = kindIn(line);
  if (kind !== null) return kind;
  throw brokenLine(
    line,
    !line.complete && mayBeginLine(line) ? 'it has no line end' : 'it is no record, checkpoint or anchor',
  );
}

/** Whether a line without an end can be the beginning of one of ours. */
export function mayBeginLine({ text }: Line): boolean {
  return BEGINNINGS.some(([, beginning]) => beginning.startsWith(text.slice(0, beginning.length)));
}

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const anchorObject = z.strictObject({
  anchor: z.strictObject({
    size: z.int().nonnegative(),
    hash: hex.nullable(),
    frontier: z.base64(),
    checkpoint: z.string().nullable(),
  }),
});
const checkpointObject = z.strictObject({ checkpoint: z.string(), kept: z.boolean() });

/** @throws {Error} unless its tree is the one that its checkpoint says. */
export function anchorIn(line: Line): Anchor {
  const parsed = anchorObject.safeParse(parsedJson(line));
  if (!parsed.success) throw brokenLine(line, 'it is not an anchor');
  const { size, hash, frontier: edge, checkpoint } = parsed.data.anchor;
  try {
    const frontier = unpackFrontier(size, Buffer.from(edge, 'base64'));
    const isWhole = size === 0 ? hash === null && checkpoint === null : hash !== null && checkpoint !== null;
    const fits = checkpoint === null || (sizeIn(checkpoint) === size && rootIn(checkpoint).equals(rootOf(frontier)));
    if (!isWhole || !fits) throw new Error('its parts do not fit together');
    return { head: { sequence: size, hash: hash === null ? null : Buffer.from(hash, 'hex'), frontier }, checkpoint };
  } catch (error) {
    throw brokenLine(line, `it is not an anchor: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws {Error} when it does not parse. The signature is not looked at. */
export function checkpointIn(line: Line): CheckpointLine {
  const parsed = checkpointObject.safeParse(parsedJson(line));
  const size = parsed.success ? sizeIn(parsed.data.checkpoint) : null;
  if (!parsed.success || size === null) throw brokenLine(line, 'it is not a checkpoint');
  return { note: parsed.data.checkpoint, kept: parsed.data.kept, size };
}

/** The size that a note says, whoever signed it (C2SP tlog-checkpoint: its second line). */
function sizeIn(note: string): number | null {
  const [, size = ''] = note.split('\n', 2);
  return /^(?:0|[1-9][0-9]{0,15})$/.test(size) ? Number(size) : null;
}

export function parsedJson(line: Line): unknown {
  try {
    return JSON.parse(line.text);
  } catch {
    throw brokenLine(line, 'it is not JSON');
  }
}
