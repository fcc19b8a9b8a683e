import assert from 'node:assert/strict';
import { closeSync, cpSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { rootOf } from '../../src/audit/chain/frontier.ts';
import { openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { openFileReader } from '../../src/audit/file/file-reader.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail, publicKey, type TrailOptions } from '../support/file-trail.ts';
import { verifiedIds } from '../support/verified-files.ts';

const START = 1_790_000_000_000;
const DAY = 86_400_000;

/** 40 records, four a day, about five a file; closed. */
async function tenDays(directory: string, t: TestContext, options: TrailOptions = {}) {
  const trail = await openFileTrail(t, directory, { rotateSize: 6_000, ...options });
  const records = Array.from({ length: 40 }, (_, index) => auditRecord({ time: START + (index * DAY) / 4 }));
  for (const record of records) await trail.add(record);
  return { trail, ids: records.map(({ id }) => id) };
}

/** Tidies until nothing is left to do. */
async function tidy(store: { tidy(before: number | null): Promise<boolean> }, before: number | null): Promise<void> {
  for (let slices = 0; await store.tidy(before); slices++) assert.ok(slices < 1_000);
}

const numbers = (directory: string, instance?: string) =>
  recordFiles(directory, instance).map((path) => Number(basename(path).slice(0, 16)));

test('files all of whose records are older are removed, oldest first, and the rest verifies from its anchor', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const { trail, ids } = await tenDays(directory, t);
  const before = numbers(directory);
  for (const day of [0, 1, 2.5, 5, 7]) {
    const limit = START + day * DAY;
    await tidy(trail.store, limit);
    const left = numbers(directory);
    // Of the first file that is left some record is young enough; of every removed one none was.
    const expected = before.filter((_, index) => (before[index + 1] ?? 1_000) - 2 >= day * 4);
    assert.deepEqual(left, expected, `before day ${day}`);
    assert.deepEqual(verifiedIds(directory), ids.slice((left[0] ?? 0) - 1));
  }
  await trail.add(auditRecord({ time: START + 10 * DAY }));
  assert.equal(verifiedIds(directory).length, 42 - (numbers(directory)[0] ?? 0));
});

test('nothing is removed without a retention, and never the last file', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const { trail } = await tenDays(directory, t);
  const before = numbers(directory);
  await tidy(trail.store, null);
  assert.deepEqual(numbers(directory), before);
  await tidy(trail.store, START + 1_000 * DAY);
  assert.deepEqual(numbers(directory), before.slice(-1));
  await trail.close();
  const again = await openFileTrail(t, directory);
  assert.equal((await again.store.head()).sequence, 40);
});

test('the files of an instance that writes no more go too, but its last one', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const dead = await tenDays(directory, t, { instance: 'dead' });
  await dead.trail.close();
  const { trail } = await tenDays(directory, t);
  const [last] = numbers(directory, 'dead').slice(-1);
  await tidy(trail.store, START + 1_000 * DAY);
  assert.deepEqual(numbers(directory, 'dead'), [last]);
  assert.equal(verifiedIds(directory, 'dead').length, 41 - (last ?? 0));
});

test('one young record keeps its file, wherever in it it stands', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 6_000 });
  const times = [0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const day of times) await trail.add(auditRecord({ time: START + day * DAY }));
  const before = numbers(directory);
  assert.ok(before.length > 1);
  await tidy(trail.store, START + 9 * DAY);
  assert.deepEqual(numbers(directory), before);
  await tidy(trail.store, START + 9 * DAY + 1);
  assert.deepEqual(numbers(directory), before.slice(-1));
});

test('a reader gives the state that a chain was retired to, and its signed checkpoint first', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const { trail, ids } = await tenDays(directory, t);
  await tidy(trail.store, START + 5 * DAY);
  await trail.close();
  const size = (numbers(directory)[0] ?? 0) - 1;
  assert.ok(size > 10);
  const reader = await openFileReader({ type: 'file', directory, rotateSize: 1 });
  const [{ anchor, head } = assert.fail()] = await reader.chains();
  assert.deepEqual([anchor?.sequence, head?.sequence], [size, 40]);
  const [checkpoint] = await reader.checkpoints('pod-1', 0, 10);
  const opened = openCheckpoint(checkpoint?.note ?? '', publicKey);
  assert.deepEqual([opened.size, opened.root], [size, anchor === null ? null : rootOf(anchor.frontier)]);
  const records = await reader.records('pod-1', 0, 100);
  assert.deepEqual(
    records.map(({ canonical }) => JSON.parse(canonical).id),
    ids.slice(size),
  );
  assert.deepEqual(
    (await reader.checkpoints('pod-1', size, 10)).every((one) => one.size > size),
    true,
  );
});

for (const [what, edit] of [
  ['a record was edited', (text: string) => text.replace('app_rw', 'app_ro')],
  ['a record was removed', (text: string) => text.replace(/\n\{"access_key_id":.*/, '')],
  ['the checkpoint at its end was removed', (text: string) => text.replace(/\{"checkpoint":[^\n]*\n$/, '')],
  ['the checkpoint at its end is not kept', (text: string) => text.replace(/true\}\n$/, 'false}\n')],
] as const) {
  test(`a file in which ${what} stays, with all behind it, and those of other instances go`, async (t) => {
    const directory = join(testDirectory(t), 'audit');
    const { trail } = await tenDays(directory, t);
    await trail.close();
    const other = await tenDays(directory, t, { instance: 'pod-2' });
    const [first = '', second = ''] = recordFiles(directory);
    writeFileSync(first, edit(readFileSync(first, 'utf8')));
    const before = numbers(directory);
    await assert.rejects(tidy(other.trail.store, START + 1_000 * DAY), {
      message: `${second}:1: the records before it are not retired: they do not end in this anchor`,
    });
    await tidy(other.trail.store, START + 1_000 * DAY);
    assert.deepEqual(numbers(directory), before);
    assert.equal(numbers(directory, 'pod-2').length, 1);
    await assert.rejects(tidy(other.trail.store, START + 1_000 * DAY), /are not retired/);
  });
}

test('a large file is looked at in slices, each of which ends soon', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 16 * 2 ** 20 });
  const detail = 'x'.repeat(100);
  for (let i = 0; i < 18; i++) {
    await trail.add(...Array.from({ length: 1_000 }, () => auditRecord({ time: START, detail })));
  }
  assert.equal(recordFiles(directory).length, 2);
  let slices = 0;
  while (await trail.store.tidy(START + DAY)) {
    slices += 1;
    // Records go on between them.
    if (slices < 3) await trail.add(auditRecord());
  }
  assert.ok(slices >= 2, `${slices}`);
  assert.equal(recordFiles(directory).length, 1);
  verifiedIds(directory);
});

test('two instances that share the directory can retire the same files', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const one = await tenDays(directory, t);
  const other = await tenDays(directory, t, { instance: 'pod-2' });
  const limit = START + 6 * DAY;
  for (let more = true; more; ) {
    const results = [await one.trail.store.tidy(limit), await other.trail.store.tidy(limit)];
    more = results.includes(true);
  }
  assert.ok((numbers(directory)[0] ?? 0) > 15);
  assert.deepEqual(numbers(directory), numbers(directory, 'pod-2'));
});

test('a folder that is no instance’s is left alone', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const { trail } = await tenDays(directory, t);
  cpSync(join(directory, 'pod-1'), join(directory, 'pod 1 (backup)'), { recursive: true });
  const before = numbers(directory, 'pod 1 (backup)');
  await tidy(trail.store, START + 1_000 * DAY);
  assert.deepEqual(numbers(directory, 'pod 1 (backup)'), before);
});

test('a file that cannot be read is an error of file and line', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const { trail } = await tenDays(directory, t);
  const [first = ''] = recordFiles(directory);
  const descriptor = openSync(first, 'r+');
  writeSync(descriptor, 'x', readFileSync(first).indexOf('\n{"access') + 1);
  closeSync(descriptor);
  await assert.rejects(trail.store.tidy(START + DAY * 1_000), {
    message: `${first}:2: it is no record, checkpoint or anchor`,
  });
});
