import type { CheckpointPlace, Finding } from './finding.ts';

/** Compares the tree's roots with those that checkpoints say, for checkpoints of one source: the store, or printed ones. */
export type RootComparison = {
  /** In the order of sizes. Both roots in base64. True when they are the same. */
  compare(size: number, root: string, expected: string, place: CheckpointPlace): boolean;
  /** A finding stands for all checkpoints in a row that do not fit: it is told when the row ends. */
  end(): void;
  /** How many sizes there were whose roots are the same. */
  fitted(): number;
};

/** @param start the size up to which nothing is said about the records. */
export function createRootComparison(start: number, onFinding: (finding: Finding) => void): RootComparison {
  let lastGood = start;
  let lastCounted = -1;
  let fitted = 0;
  let row: Extract<Finding, { kind: 'chain_rewritten' }> | null = null;

  function end(): void {
    if (row !== null) onFinding(row);
    row = null;
  }

  return {
    compare(size, root, expected, place) {
      if (root !== expected) {
        row = row
          ? { ...row, checkpoints: row.checkpoints + 1 }
          : { kind: 'chain_rewritten', from: Math.min(lastGood + 1, size), to: size, place, checkpoints: 1 };
        return false;
      }
      end();
      if (size !== lastCounted) fitted += 1;
      lastCounted = size;
      lastGood = size;
      return true;
    },
    end,
    fitted: () => fitted,
  };
}
