import type { DatabaseSync } from 'node:sqlite';
import { EMPTY_FRONTIER, type Frontier, unpackFrontier } from '../chain/frontier.ts';
import type { ChainHead, StoredChain } from '../store.ts';
import { chainName } from './instances.ts';
import type { Row } from './read-record.ts';

/** Every instance of which there is anything, in the order of their names. */
export function readChains(db: DatabaseSync): StoredChain[] {
  const rows: readonly Row[] = db.prepare('SELECT *, CAST(name AS BLOB) AS name_bytes FROM audit_instances').all();
  const known = new Set(rows.map((row) => Number(row['instance'])));
  const headless = [...distinctInstances(db, 'audit_records'), ...distinctInstances(db, 'audit_checkpoints')];
  const others = [...new Set(headless)].filter((number) => !known.has(number));
  const chains = [
    ...rows.map(chainOf),
    ...others.map((number) => ({ instance: chainName(number, null), anchor: null, head: null })),
  ];
  return chains.toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
}

/** One look-up for each, where DISTINCT would read every record. */
function distinctInstances(db: DatabaseSync, table: 'audit_records' | 'audit_checkpoints'): number[] {
  const first = db.prepare(`SELECT min(instance) AS instance FROM ${table}`);
  const next = db.prepare(`SELECT min(instance) AS instance FROM ${table} WHERE instance > ?`);
  const found: number[] = [];
  for (let last: number | null = null; ; ) {
    const instance: unknown = (last === null ? first.get() : next.get(last))?.['instance'];
    if (typeof instance !== 'number') return found;
    found.push(instance);
    last = instance;
  }
}

function chainOf(row: Row): StoredChain {
  const head = { sequence: Number(row['sequence']), hash: bytesOf(row['hash']), checkpoint: String(row['checkpoint']) };
  return { instance: chainName(Number(row['instance']), row['name_bytes']), anchor: anchorOf(row), head };
}

function anchorOf(row: Row): ChainHead | null {
  const sequence = Number(row['anchor_sequence']);
  if (sequence === 0) return null;
  return { sequence, hash: bytesOf(row['anchor_hash']), frontier: frontierOf(sequence, row['anchor_frontier']) };
}

/** One that was tampered with is empty: then it does not fit the checkpoint there. */
function frontierOf(size: number, bytes: unknown): Frontier {
  try {
    return unpackFrontier(size, bytesOf(bytes) ?? new Uint8Array());
  } catch {
    return EMPTY_FRONTIER;
  }
}

function bytesOf(value: unknown): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}
