import type { Checkpoint } from '../chain/checkpoint.ts';
import type { Finding } from './finding.ts';
import type { KeptCheckpoints } from './kept-checkpoints.ts';
import type { ExpectedRoot } from './printed-checkpoints.ts';
import { createRootComparison } from './root-comparison.ts';

/** All checkpoints of one instance, in the order of their sizes, whatever they come from. */
export type CheckpointQueue = {
  /** A checkpoint at the end of the chain. */
  expectHead(checkpoint: Checkpoint): void;
  /** The size that the tree's root is needed for next; Infinity when there is none. */
  nextSize(): Promise<number>;
  /**
   * Compares the checkpoints of this size with the root, base64; null when records are missing, so that no root is
   * known. Those of smaller sizes came too late, and are passed over.
   */
  pass(size: number, root: string | null): Promise<void>;
  /** Of the checkpoints that are left: the largest of the store's kept ones, and of the printed ones. */
  beyond(): Promise<{ readonly kept: number; readonly printed: ExpectedRoot | null }>;
  end(): void;
  /** How many sizes were confirmed, and the time of the last one that the store confirms, milliseconds since the epoch. */
  confirmed(): {
    readonly store: number;
    readonly printed: number;
    readonly lastSize: number;
    readonly lastTime: number | null;
  };
};

export function createCheckpointQueue(
  kept: KeptCheckpoints,
  printed: readonly ExpectedRoot[],
  start: number,
  onFinding: (finding: Finding) => void,
): CheckpointQueue {
  const byStore = createRootComparison(start, onFinding);
  const byPrinted = createRootComparison(start, onFinding);
  let heads: Checkpoint[] = [];
  // What was printed about records that are retired says nothing about those that are left.
  let nextPrinted = printed.findIndex(({ size }) => size >= start);
  if (nextPrinted === -1) nextPrinted = printed.length;
  let last: { readonly size: number; readonly time: number } | null = null;

  function compareStored({ size, root, time }: Checkpoint, treeRoot: string, type: 'kept' | 'head'): void {
    if (byStore.compare(size, treeRoot, root.toString('base64'), { type })) last = { size, time };
  }

  return {
    expectHead(checkpoint) {
      heads.push(checkpoint);
    },
    async nextSize() {
      const sizes = [await kept.peek(), printed[nextPrinted], ...heads].map((next) => next?.size ?? Infinity);
      return Math.min(...sizes);
    },
    async pass(size, root) {
      for (let next = await kept.peek(); next !== null && next.size <= size; next = await kept.peek()) {
        if (root !== null && next.size === size) compareStored(next, root, 'kept');
        kept.take();
      }
      for (const head of heads) if (root !== null && head.size === size) compareStored(head, root, 'head');
      heads = heads.filter((head) => head.size > size);
      for (let next = printed[nextPrinted]; next !== undefined && next.size <= size; next = printed[nextPrinted]) {
        if (root !== null && next.size === size) {
          byPrinted.compare(size, root, next.root, { type: 'printed', at: next.at });
        }
        nextPrinted += 1;
      }
    },
    async beyond() {
      let largest = 0;
      for (let next = await kept.peek(); next !== null; next = await kept.peek()) {
        largest = next.size;
        kept.take();
      }
      return { kept: largest, printed: nextPrinted < printed.length ? (printed.at(-1) ?? null) : null };
    },
    end() {
      byStore.end();
      byPrinted.end();
    },
    confirmed: () => ({
      store: byStore.fitted(),
      printed: byPrinted.fitted(),
      lastSize: last?.size ?? start,
      lastTime: last?.time ?? null,
    }),
  };
}
