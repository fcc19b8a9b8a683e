import { EMPTY_FRONTIER, type Frontier, unpackFrontier } from '../chain/frontier.ts';
import type { ChainHead, HeadOnRecord, StoredChain } from '../store.ts';
import type { Query, Row } from './connection.ts';
import { bytesOf, bytesOrNull } from './values.ts';

/** The end of an instance's chain. Rejects when it is gone while there is still something of the chain. */
export async function readHead(query: Query, instance: string): Promise<HeadOnRecord> {
  const [row] = await query({
    text: 'SELECT sequence, hash, frontier, checkpoint FROM rtv_audit.heads WHERE instance = $1',
    values: [instance],
  });
  if (row !== undefined) {
    const sequence = Number(row['sequence']);
    const frontier = unpackFrontier(sequence, bytesOf(row['frontier']));
    return { sequence, hash: bytesOrNull(row['hash']), frontier, checkpoint: String(row['checkpoint']) };
  }
  const kept = await query({
    text: 'SELECT size FROM rtv_audit.checkpoints WHERE instance = $1 LIMIT 1',
    values: [instance],
  });
  if (kept.length > 0) throw new Error(`the end of the chain of ${instance} was removed`);
  return { ...START, checkpoint: null };
}

/**
 * The state after the last retired record of a row of `heads`; null when all are there. An edge that does not fit its size
 * was tampered with: it is given as the empty one, which does not fit either, so that the others can be looked at.
 */
export function anchorOf(row: Row): ChainHead | null {
  const sequence = Number(row['anchor_sequence']);
  if (sequence === 0) return null;
  const edge = bytesOrNull(row['anchor_frontier']);
  return { sequence, hash: bytesOrNull(row['anchor_hash']), frontier: frontierOf(sequence, edge) };
}

function frontierOf(size: number, edge: Buffer | null): Frontier {
  try {
    return edge === null ? EMPTY_FRONTIER : unpackFrontier(size, edge);
  } catch {
    return EMPTY_FRONTIER;
  }
}

/** Where a chain began that has no record yet, or was never cut. */
export const START: ChainHead = { sequence: 0, hash: null, frontier: EMPTY_FRONTIER };

export function storedChainOf(row: Row): StoredChain {
  const head = {
    sequence: Number(row['sequence']),
    hash: bytesOrNull(row['hash']),
    checkpoint: String(row['checkpoint']),
  };
  return { instance: String(row['instance']), anchor: anchorOf(row), head };
}
