import { hash } from 'node:crypto';

/**
 * The right edge of an RFC 6962 Merkle tree: the roots of its complete subtrees, the largest first, one for each bit of
 * `size`. It is all that is needed to add leaves and to know the root (RFC 6962 §2.1).
 */
export type Frontier = { readonly size: number; readonly nodes: readonly Buffer[] };

export const EMPTY_FRONTIER: Frontier = { size: 0, nodes: [] };

const HASH_BYTES = 32;

/** Adds leaf hashes in their order. */
export function withLeaves({ size, nodes }: Frontier, leaves: readonly Buffer[]): Frontier {
  const edge = [...nodes];
  let grown = size;
  for (const leaf of leaves) {
    let node = leaf;
    // Each low bit of the size is a complete subtree of the new one's height: they become one of the next.
    for (let bits = grown; bits % 2 === 1; bits = Math.floor(bits / 2)) node = parent(edge.pop() ?? node, node);
    edge.push(node);
    grown += 1;
  }
  return { size: grown, nodes: edge };
}

/** The tree's root: the Merkle Tree Hash of RFC 6962 §2.1. */
export function rootOf({ nodes }: Frontier): Buffer {
  const last = nodes.at(-1);
  if (last === undefined) return hash('sha256', '', 'buffer');
  return nodes.slice(0, -1).reduceRight((right, left) => parent(left, right), last);
}

export function packFrontier({ nodes }: Frontier): Buffer {
  return Buffer.concat(nodes);
}

/** @throws {Error} when the bytes are not the frontier of a tree of that size. */
export function unpackFrontier(size: number, bytes: Uint8Array): Frontier {
  let expected = 0;
  for (let bits = size; bits > 0; bits = Math.floor(bits / 2)) expected += bits % 2;
  if (bytes.length !== expected * HASH_BYTES)
    throw new Error('the stored edge of the Merkle tree does not fit its size');
  const whole = Buffer.from(bytes);
  const nodes = Array.from({ length: expected }, (_, at) => whole.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  return { size, nodes };
}

const NODE_PREFIX = Buffer.from([1]);

function parent(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE_PREFIX, left, right], 1 + 2 * HASH_BYTES), 'buffer');
}
