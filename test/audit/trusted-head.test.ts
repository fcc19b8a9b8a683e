import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { EMPTY_FRONTIER, rootOf, withLeaves } from '../../src/audit/chain/frontier.ts';
import type { HeadOnRecord } from '../../src/audit/store.ts';
import { trustedHead } from '../../src/audit/trusted-head.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = createCheckpointSigner('rds-token-vendor/pod-1', privateKey);

function headOf(size: number, leaf = 1): HeadOnRecord {
  const leaves = Array.from({ length: size }, (_, index) => Buffer.alloc(32, index + leaf));
  const frontier = withLeaves(EMPTY_FRONTIER, leaves);
  const checkpoint = signer.sign({ size, root: rootOf(frontier), time: 1_790_000_000_000 });
  return { sequence: size, hash: leaves.at(-1) ?? null, frontier, checkpoint };
}

const head = headOf(7);
const start: HeadOnRecord = { sequence: 0, hash: null, frontier: EMPTY_FRONTIER, checkpoint: null };

test('a signed head may be continued, and so may the start', () => {
  const { checkpoint: _, ...expected } = head;
  assert.deepEqual(trustedHead(head, signer, null), expected);
  assert.deepEqual(trustedHead(head, signer, headOf(7)), expected);
  assert.deepEqual(trustedHead(head, signer, headOf(5)), expected);
  assert.equal(trustedHead(start, signer, null).sequence, 0);
});

const other = createCheckpointSigner('rds-token-vendor/pod-1', generateKeyPairSync('ed25519').privateKey);
const neighbour = createCheckpointSigner('rds-token-vendor/pod-2', privateKey);
const root = rootOf(head.frontier);
const UNTRUSTED: Readonly<Record<string, HeadOnRecord>> = {
  'no checkpoint': { ...head, checkpoint: null },
  'a text that is none': { ...head, checkpoint: 'x' },
  'one by another key': { ...head, checkpoint: other.sign({ size: 7, root, time: 0 }) },
  'one of another instance': { ...head, checkpoint: neighbour.sign({ size: 7, root, time: 0 }) },
  'one of another size': { ...head, checkpoint: headOf(6).checkpoint },
  'one over other records': { ...head, checkpoint: headOf(7, 9).checkpoint },
  'an edge of another size': { ...head, frontier: headOf(6).frontier },
};
for (const [what, onRecord] of Object.entries(UNTRUSTED)) {
  test(`a head with ${what} is not continued`, () => {
    assert.throws(() => trustedHead(onRecord, signer, null), /cannot be continued: its checkpoint at record 7/);
  });
}

test('a head that was put back to before what this process wrote is not continued, genuine as it is', () => {
  assert.throws(() => trustedHead(headOf(5), signer, head), /ends at record 5, and this process has written 7/);
  assert.throws(() => trustedHead(start, signer, head), /ends at record 0/);
});

test('nor is another record in the place of the last one', () => {
  assert.throws(() => trustedHead(headOf(7, 9), signer, head), /record 7 on record is not the one/);
});
