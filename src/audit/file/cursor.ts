import { hash } from 'node:crypto';
import { z } from 'zod';
import { UnknownCursor } from '../../issuance/audit-query.ts';

/** Of each instance that has records left to look at, the sequence number of the newest of them. */
export type Positions = ReadonlyMap<string, number>;

/** Stands for an instance in a cursor: shorter than a name, and no cursor can name a path. */
export function cursorKey(instance: string): string {
  return hash('sha256', instance, 'buffer').subarray(0, 6).toString('base64url');
}

export function cursorOf(positions: Positions): string {
  return Buffer.from(JSON.stringify([...positions])).toString('base64url');
}

/** Instances that a cursor may have; each takes about 20 characters. */
const MOST_INSTANCES = 10_000;

const cursorArray = z
  .array(z.tuple([z.string().regex(/^[A-Za-z0-9_-]{8}$/), z.int().positive()]))
  .min(1)
  .max(MOST_INSTANCES);

/** @throws {UnknownCursor} for every text that `cursorOf` does not make: cursors come from the network. */
export function positionsOf(cursor: string): Positions {
  if (cursor.length > MOST_INSTANCES * 40) throw new UnknownCursor();
  const positions = new Map(parsed(cursor));
  if (cursorOf(positions) !== cursor) throw new UnknownCursor();
  return positions;
}

function parsed(cursor: string): [string, number][] {
  try {
    return cursorArray.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw new UnknownCursor();
  }
}
