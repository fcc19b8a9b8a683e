import type { Partition } from './partitions.ts';

/** Ids of `from` and greater, below `to`. */
export type IdRange = { readonly from: string; readonly to: string };

export const ALL_IDS: IdRange = {
  from: '00000000-0000-0000-0000-000000000000',
  to: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
};

/** Partitions of the first window: those that are made ahead, today's and yesterday's. */
const FIRST = 5;

/**
 * Partitions of a statement: it locks each of them and each of their indexes, and a server has room for 6,400 locks unless
 * it was given more.
 */
export const MOST_PARTITIONS = 32;

/**
 * Cuts a range of ids between partitions, greatest ids first: whoever finds enough in a window need not open the next. The
 * windows cover the range, whatever partitions came or went meanwhile.
 *
 * @param first partitions of the first window; each one after it has twice as many, up to `most`.
 */
export function* windowsDown(
  partitions: readonly Partition[],
  range: IdRange,
  first: number = FIRST,
  most: number = MOST_PARTITIONS,
): Generator<IdRange> {
  const cuts = partitions
    .flatMap(({ range: own }) => (own !== null && own.from > range.from && own.from < range.to ? [own.from] : []))
    .toReversed();
  let { to } = range;
  let size = first;
  for (let at = size - 1; at < cuts.length; at += size) {
    const from = cuts[at] ?? range.from;
    yield { from, to };
    to = from;
    size = Math.min(size * 2, most);
  }
  yield { from: range.from, to };
}
