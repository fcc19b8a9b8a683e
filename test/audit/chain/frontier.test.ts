import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  EMPTY_FRONTIER,
  type Frontier,
  packFrontier,
  rootOf,
  unpackFrontier,
  withLeaves,
} from '../../../src/audit/chain/frontier.ts';

const sha256 = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (data: Uint8Array) => sha256(Buffer.from([0]), data);

/** RFC 6962 §2.1, word for word. */
function merkleTreeHash(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha256(Buffer.from([1]), merkleTreeHash(leaves.slice(0, split)), merkleTreeHash(leaves.slice(split)));
}

/** The test tree of Certificate Transparency (certificate-transparency-go, `merkle/testonly`). */
const CT_LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const CT_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the roots are those of the test tree of Certificate Transparency', () => {
  const leaves = CT_LEAVES.map((hex) => leaf(Buffer.from(hex, 'hex')));
  const roots = CT_ROOTS.map((_, size) => rootOf(withLeaves(EMPTY_FRONTIER, leaves.slice(0, size))).toString('hex'));
  assert.deepEqual(roots, CT_ROOTS);
});

test('however leaves are put together, the root is that of RFC 6962', () => {
  const leaves = Array.from({ length: 130 }, (_, index) => leaf(Buffer.from([index])));
  for (let size = 0; size <= leaves.length; size++) {
    let frontier: Frontier = EMPTY_FRONTIER;
    for (let at = 0; at < size; ) {
      const step = 1 + ((at * 7 + size) % 9);
      frontier = withLeaves(frontier, leaves.slice(at, Math.min(size, at + step)));
      at += step;
    }
    assert.equal(frontier.size, size);
    assert.deepEqual(rootOf(frontier), merkleTreeHash(leaves.slice(0, size)), String(size));
    assert.deepEqual(unpackFrontier(size, packFrontier(frontier)), frontier);
  }
});

test('bytes that do not fit the size are no frontier', () => {
  for (const [size, length] of [
    [0, 32],
    [3, 32],
    [3, 96],
    [4, 31],
  ] as const) {
    assert.throws(() => unpackFrontier(size, new Uint8Array(length)), /does not fit its size/);
  }
});
