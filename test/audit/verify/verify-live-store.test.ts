import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { type StoreVerdict, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import type { StoreReader } from '../../../src/audit/store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { checkpointKey, writeRecords } from '../../support/written-chain.ts';

const key = checkpointKey();

async function written(records: number): Promise<MemoryStore> {
  const store = createMemoryStore();
  await append(store, records);
  return store;
}

function append(store: MemoryStore, records: number): Promise<string[]> {
  const commits = Array.from({ length: Math.ceil(records / 5) }, () => Array.from({ length: 5 }, () => auditRecord()));
  return writeRecords(store.storeOf('pod-1'), 'pod-1', key, commits);
}

async function verified(reader: StoreReader): Promise<StoreVerdict> {
  const keys = oneKey(key.publicKey);
  return verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
}

function sentences({ chains }: StoreVerdict): string[] {
  return chains.flatMap(({ findings }) => findings.map(describeFinding));
}

test('a store is good while records are written to it, and those that were there first are all looked at', async () => {
  const store = await written(20);
  let calls = 0;
  const verdict = await verified({
    ...store.reader,
    async records(...query) {
      calls += 1;
      await append(store, 10);
      return store.reader.records(...query);
    },
    async chains() {
      const chains = await store.reader.chains();
      await append(store, 5);
      return chains;
    },
  });
  assert.deepEqual(sentences(verdict), []);
  assert.ok((verdict.chains[0]?.records ?? 0) >= 20);
  assert.ok(calls < 20, 'it ends on a store that is always in use');
});

test('a store is good while records are retired from it', async () => {
  const store = await written(60);
  let calls = 0;
  const verdict = await verified({
    ...store.reader,
    async records(...query) {
      calls += 1;
      if (calls <= 3) store.retire('pod-1', [5, 15, 25][calls - 1] ?? 0);
      return store.reader.records(...query);
    },
  });
  assert.deepEqual(sentences(verdict), []);
  const [chain] = verdict.chains;
  assert.deepEqual([chain?.retired, chain?.records, chain?.last], [25, 35, 60]);
});

test('a store all of whose records are retired is good', async () => {
  const store = await written(60);
  store.retire('pod-1', 60);
  const verdict = await verified(store.reader);
  assert.deepEqual(sentences(verdict), []);
  const [chain] = verdict.chains;
  assert.deepEqual([chain?.records, chain?.first, chain?.last, chain?.retired], [0, null, null, 60]);
});

test('a record that the store itself cannot read is told, and the others are looked at', async () => {
  const store = await written(20);
  const verdict = await verified({
    ...store.reader,
    async records(instance, after, limit) {
      const records = await store.reader.records(instance, after, limit);
      if (records.some(({ sequence }) => sequence === 7)) throw new Error('its time is no time');
      return records;
    },
  });
  assert.deepEqual(sentences(verdict), ['record 7 cannot be read: its time is no time']);
  assert.equal(verdict.chains[0]?.last, 20);
});

test('a store that cannot be read at all is a fault and no finding', async () => {
  const store = await written(20);
  const reader = { ...store.reader, records: () => Promise.reject(new Error('the disk is gone')) };
  await assert.rejects(verified(reader), /the disk is gone/);
});

test('a reader that gives the same records again and again does not keep the verification from its end', async () => {
  const store = await written(20);
  const verdict = await verified({ ...store.reader, records: (instance) => store.reader.records(instance, 0, 5) });
  assert.match(sentences(verdict).join('\n'), /records 6 to 20 were cut off from the end/);
});
