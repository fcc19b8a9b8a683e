import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createCheckpointSigner, openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { EMPTY_FRONTIER } from '../../src/audit/chain/frontier.ts';
import { rowOf } from '../../src/audit/record-row.ts';
import { HeadMoved, Passing, type Store } from '../../src/audit/store.ts';
import type { Batch } from '../../src/audit/store-messages.ts';
import { createWriter } from '../../src/audit/writer.ts';
import { auditRecord } from '../support/audit-records.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

function writing(changes: (store: Store) => Partial<Store> = () => ({}), diskReserve = 0) {
  const memory = createMemoryStore();
  const store = memory.storeOf('pod-1');
  const calls: string[] = [];
  const notes: string[] = [];
  const clock = { now: 1_000_000 };
  const noted: Store = {
    ...store,
    open: async (create) => void calls.push(`open ${create}`),
    close: async () => void calls.push('close'),
    ...changes(store),
  };
  const writer = createWriter({
    store: noted,
    instance: 'pod-1',
    signer: createCheckpointSigner('rds-token-vendor/pod-1', privateKey),
    diskReserve,
    now: () => clock.now,
    onCheckpoint: (note) => notes.push(note),
    onCopies: null,
  });
  const sizes = () => notes.map((note) => openCheckpoint(note, publicKey).size);
  return { memory, writer, calls, sizes, clock };
}

let lastBatch = 0;
function batch(records: number): Batch {
  lastBatch += 1;
  const rows = Array.from({ length: records }, () => rowOf(auditRecord()));
  return { id: lastBatch, deadline: Number.POSITIVE_INFINITY, rows };
}

const failures = async (answers: Promise<readonly { readonly failure: string | null }[]>) =>
  (await answers).map(({ failure }) => failure);

test('a checkpoint is kept after 1,000 records at most, whatever the size of batches', async () => {
  const { writer, sizes } = writing();
  await writer.open(true);
  for (const records of [1, 998, 700, 5_000, 301, 1, 999]) await writer.write([batch(records)]);
  await writer.close();
  const kept = sizes();
  assert.equal(kept.at(-1), 8_000);
  for (const [at, size] of kept.entries()) assert.ok(size - (kept[at - 1] ?? 0) <= 1_000, String(size));
});

test('a checkpoint is kept with the first commit after three quarters of a second, and between commits then', async () => {
  const { writer, sizes, clock } = writing();
  await writer.open(true);
  await writer.write([batch(1)]);
  await writer.write([batch(1)]);
  assert.deepEqual(sizes(), [1]);
  clock.now += 749;
  await writer.keepCheckpoint();
  assert.deepEqual(sizes(), [1]);
  clock.now += 1;
  await writer.keepCheckpoint();
  await writer.keepCheckpoint();
  assert.deepEqual(sizes(), [1, 2]);
  clock.now += 750;
  await writer.write([batch(1)]);
  assert.deepEqual(sizes(), [1, 2, 3]);
});

test('a clock that goes back does not stop checkpoints', async () => {
  const { writer, sizes, clock } = writing();
  await writer.open(true);
  await writer.write([batch(1)]);
  clock.now -= 3_600_000;
  await writer.write([batch(1)]);
  assert.deepEqual(sizes(), [1, 2]);
});

test('a batch whose time is over is not written', async () => {
  const { writer, memory, clock } = writing();
  await writer.open(true);
  const late = { ...batch(1), deadline: clock.now };
  assert.deepEqual(await failures(writer.write([late, batch(2)])), ['the record waited too long', null]);
  assert.equal(memory.chains.get('pod-1')?.records.length, 2);
});

test('when another process wrote under the name, the head is read again and the records follow it', async () => {
  let moved = 1;
  const { writer, memory, calls } = writing((store) => ({
    commit: (commit) => (moved-- > 0 ? Promise.reject(new HeadMoved()) : store.commit(commit)),
  }));
  await writer.open(true);
  assert.deepEqual(await failures(writer.write([batch(3)])), [null]);
  assert.equal(memory.chains.get('pod-1')?.records.length, 3);
  assert.deepEqual(calls, ['open true']);
});

test('when it goes on writing under the name, the records fail', async () => {
  const { writer } = writing(() => ({ commit: () => Promise.reject(new HeadMoved()) }));
  await writer.open(true);
  assert.deepEqual(await failures(writer.write([batch(1)])), ['another process writes under the same instance name']);
});

test('after an error the store is closed, and opened again, never made again, by the next records', async () => {
  let broken = true;
  const { writer, calls } = writing((store) => ({
    commit: (commit) => (broken ? Promise.reject(new Error('I/O error')) : store.commit(commit)),
  }));
  await writer.open(true);
  assert.deepEqual(await failures(writer.write([batch(1), batch(1)])), ['I/O error', 'I/O error']);
  broken = false;
  assert.deepEqual(await failures(writer.write([batch(1)])), [null]);
  assert.deepEqual(calls, ['open true', 'close', 'open false']);
});

test('after a passing error the store stays open', async () => {
  const { writer, calls } = writing(() => ({ commit: () => Promise.reject(new Passing('database is locked')) }));
  await writer.open(true);
  assert.deepEqual(await failures(writer.write([batch(1)])), ['database is locked']);
  assert.deepEqual(calls, ['open true']);
});

test('a record that failed may be handed over again', async () => {
  let broken = true;
  const { writer, memory } = writing((store) => ({
    commit: (commit) => (broken ? Promise.reject(new Passing('full')) : store.commit(commit)),
  }));
  await writer.open(true);
  const again = batch(2);
  await writer.write([again]);
  broken = false;
  const [answer] = await writer.write([again]);
  assert.deepEqual([answer?.failure, answer?.refused], [null, []]);
  assert.equal(memory.chains.get('pod-1')?.records.length, 2);
});

test('free bytes are looked at before each write, at most every 200 ms, and below the reserve nothing is written', async () => {
  let free = 1_000;
  let looked = 0;
  const { writer, clock } = writing(() => ({ freeBytes: () => ((looked += 1), free) }), 500);
  await writer.open(true);
  for (let i = 0; i < 5; i++) assert.deepEqual(await failures(writer.write([batch(1)])), [null]);
  assert.equal(looked, 1);
  free = 499;
  clock.now += 200;
  const low = '499 bytes are free on the disk, and 500 are to stay free';
  assert.deepEqual(await failures(writer.write([batch(1), batch(0)])), [low, low]);
  free = 500;
  clock.now += 200;
  assert.deepEqual(await failures(writer.write([batch(1)])), [null]);
});

test('a checkpoint that cannot be kept is kept later', async () => {
  let broken = true;
  const { writer, sizes, clock } = writing((store) => ({
    keep: (size, note) => (broken ? Promise.reject(new Passing('locked')) : store.keep(size, note)),
  }));
  await writer.open(true);
  await writer.write([batch(1)]);
  await writer.write([batch(1)]);
  clock.now += 1_000;
  await writer.keepCheckpoint();
  assert.deepEqual(sizes(), [1]);
  broken = false;
  await writer.keepCheckpoint();
  assert.deepEqual(sizes(), [1, 2]);
});

test('a probe fails while the chain that is there cannot be continued', async () => {
  let head: ReturnType<Store['head']> | null = null;
  const { writer } = writing((store) => ({ head: () => head ?? store.head() }));
  await writer.open(true);
  await writer.write([batch(2)]);
  assert.deepEqual(await failures(writer.write([batch(0)])), [null]);
  // An older copy was put back under the running service.
  head = Promise.resolve({ sequence: 0, hash: null, frontier: EMPTY_FRONTIER, checkpoint: null });
  const behind = 'the chain on record ends at record 0, and this process has written 2';
  assert.deepEqual(await failures(writer.write([batch(0)])), [behind]);
  assert.deepEqual(await failures(writer.write([batch(1)])), [behind]);
  assert.deepEqual(await failures(writer.write([batch(0)])), [behind]);
  head = null;
  assert.deepEqual(await failures(writer.write([batch(0), batch(1)])), [null, null]);
});
