import { EMPTY_FRONTIER, withLeaves } from '../../src/audit/chain/frontier.ts';
import type {
  ChainHead,
  Commit,
  Store,
  StoredChain,
  StoredCheckpoint,
  StoredRecord,
  StoreReader,
} from '../../src/audit/store.ts';

/** One instance in a store in memory: everything is there to be tampered with. */
export type MemoryChain = {
  records: StoredRecord[];
  checkpoints: StoredCheckpoint[];
  anchor: ChainHead | null;
  head: StoredChain['head'];
};

/** Records of several instances in memory. It keeps the canonical text as it was written, as the file store does. */
export type MemoryStore = {
  readonly chains: Map<string, MemoryChain>;
  /** The store as the writer of one instance sees it. */
  storeOf(instance: string): Store;
  readonly reader: StoreReader;
  /** Retires the records up to a kept checkpoint of this size, as a store does. */
  retire(instance: string, size: number): void;
};

export function createMemoryStore(): MemoryStore {
  const chains = new Map<string, MemoryChain>();
  const frontiers = new Map<string, ChainHead>();

  function chainOf(instance: string): MemoryChain {
    const chain = chains.get(instance) ?? { records: [], checkpoints: [], anchor: null, head: null };
    chains.set(instance, chain);
    return chain;
  }

  function commit(instance: string, { after, records, checkpoint, keep }: Commit): void {
    const chain = chainOf(instance);
    chain.records.push(...records.map(({ sequence, hash, canonical }) => ({ sequence, hash, canonical })));
    chain.head = { sequence: after.sequence, hash: after.hash, checkpoint };
    frontiers.set(instance, after);
    if (keep) chain.checkpoints.push({ size: after.sequence, note: checkpoint });
  }

  return {
    chains,
    storeOf: (instance) => ({
      open: async () => undefined,
      head: async () => ({
        ...(frontiers.get(instance) ?? { sequence: 0, hash: null, frontier: EMPTY_FRONTIER }),
        checkpoint: chainOf(instance).head?.checkpoint ?? null,
      }),
      commit: async (records) => commit(instance, records),
      keep: async (size, note) => void chainOf(instance).checkpoints.push({ size, note }),
      probe: async () => undefined,
      freeBytes: () => null,
      tidy: async () => false,
      close: async () => undefined,
    }),
    reader: {
      page: () => Promise.reject(new Error('it has no pages')),
      get: async () => null,
      chains: async () => [...chains].map(([instance, { anchor, head }]) => ({ instance, anchor, head })),
      records: async (instance, after, limit) =>
        (chains.get(instance)?.records ?? []).filter(({ sequence }) => sequence > after).slice(0, limit),
      checkpoints: async (instance, after, limit) =>
        (chains.get(instance)?.checkpoints ?? []).filter(({ size }) => size > after).slice(0, limit),
      count: async (instance, after, upTo) =>
        (chains.get(instance)?.records ?? []).filter(
          ({ sequence }) => (after === null || sequence > after) && sequence <= upTo,
        ).length,
      faults: async () => [],
      close: async () => undefined,
    },
    retire(instance, size) {
      const chain = chainOf(instance);
      const removed = chain.records.filter(({ sequence }) => sequence <= size).map(({ hash }) => hash);
      const frontier = withLeaves(chain.anchor?.frontier ?? EMPTY_FRONTIER, removed);
      chain.anchor = { sequence: size, hash: removed.at(-1) ?? null, frontier };
      chain.records = chain.records.filter(({ sequence }) => sequence > size);
      chain.checkpoints = chain.checkpoints.filter((checkpoint) => checkpoint.size >= size);
    },
  };
}
