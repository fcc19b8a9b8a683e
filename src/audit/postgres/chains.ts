import type { StoredChain } from '../store.ts';
import type { Query } from './connection.ts';
import { storedChainOf } from './heads.ts';
import { MOST_PARTITIONS } from './id-windows.ts';
import type { Partition } from './partitions.ts';

/** How long the names in the records are remembered: a verification asks for the chains again and again. Milliseconds. */
const NAMES_AGE = 10_000;

/** Reads every instance of which there is a head, a checkpoint or a record, in the order of their names. */
export function createChains(
  query: Query,
  partitions: () => Promise<readonly Partition[]>,
): () => Promise<readonly StoredChain[]> {
  let names = { instances: [] as readonly string[], time: Number.NEGATIVE_INFINITY };

  async function namesInRecords(): Promise<readonly string[]> {
    if (performance.now() - names.time < NAMES_AGE) return names.instances;
    const instances: string[] = [];
    const tables = (await partitions()).map(({ table }) => table);
    for (let at = 0; at < tables.length; at += MOST_PARTITIONS) {
      const text = tables
        .slice(at, at + MOST_PARTITIONS)
        .map(namesIn)
        .join(' UNION ');
      instances.push(...(await query({ text })).map(({ instance }) => String(instance)));
    }
    names = { instances, time: performance.now() };
    return instances;
  }

  return async () => {
    const heads = (await query({ text: 'SELECT * FROM rtv_audit.heads' })).map(storedChainOf);
    const kept = await query({ text: namesIn('rtv_audit.checkpoints') });
    const chains = new Map(heads.map((chain) => [chain.instance, chain]));
    for (const instance of [...kept.map(({ instance }) => String(instance)), ...(await namesInRecords())]) {
      if (!chains.has(instance)) chains.set(instance, { instance, anchor: null, head: null });
    }
    return [...chains.values()].sort((one, other) => (one.instance < other.instance ? -1 : 1));
  };
}

/** Jumps from name to name through an index that begins with it. */
function namesIn(table: string): string {
  return `(WITH RECURSIVE names AS (
      (SELECT instance FROM ${table} ORDER BY instance LIMIT 1)
      UNION ALL
      SELECT (SELECT instance FROM ${table} WHERE instance > names.instance ORDER BY instance LIMIT 1)
      FROM names WHERE names.instance IS NOT NULL
    ) SELECT instance FROM names WHERE instance IS NOT NULL)`;
}
