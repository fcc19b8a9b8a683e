import assert from 'node:assert/strict';
import { appendFileSync, closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { rootOf } from '../../src/audit/chain/frontier.ts';
import { recoverEnd } from '../../src/audit/file/recover.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { type FileTrail, fileTrail, openFileTrail, publicKey } from '../support/file-trail.ts';
import { verifiedIds } from '../support/verified-files.ts';

/** A closed trail of three commits; where each ends in its only file, in bytes. */
async function threeCommits(test: TestContext) {
  const directory = join(testDirectory(test), 'audit');
  const trail = await openFileTrail(test, directory);
  const [path = ''] = recordFiles(directory);
  const ends = [readFileSync(path).length];
  const records = Array.from({ length: 7 }, () => auditRecord());
  // In the middle of one second: one checkpoint is kept, and the next ones are not.
  for (const commit of [records.slice(0, 2), records.slice(2, 4), records.slice(4)]) {
    await trail.add(...commit);
    ends.push(readFileSync(path).length);
  }
  await trail.store.close();
  const bytes = readFileSync(path);
  const ids = records.map(({ id }) => id);
  return { directory, path, ids, bytes, ends, file: { path, first: 1 } };
}

test('a last commit cut at any byte leaves the records that were acknowledged before', async (t) => {
  const { path, ends, file } = await threeCommits(t);
  const [, , before = 0, after = 0] = ends;
  for (let length = after; length >= before; length--) {
    truncateSync(path, length);
    const end = recoverEnd(file, 'pod-1');
    const expected = length === after ? [7, after] : [4, before];
    assert.deepEqual([end.head.sequence, end.length], expected, `cut at byte ${length}`);
  }
});

test('a store goes on behind what was acknowledged, wherever the last write was cut', async (t) => {
  const { directory, path, bytes, ends, ids } = await threeCommits(t);
  const [, , before = 0, after = 0] = ends;
  const lineEnds = [...bytes.entries()].filter(([at, byte]) => byte === 0x0a && at > before).map(([at]) => at);
  for (const length of [before, before + 1, ...lineEnds.flatMap((at) => [at, at + 1, at + 2]), after - 1]) {
    if (length >= after) continue;
    writeFileSync(path, bytes.subarray(0, length));
    const trail = await openFileTrail(t, directory);
    const record = auditRecord();
    await trail.add(record);
    await trail.close();
    assert.deepEqual(verifiedIds(directory), [...ids.slice(0, 4), record.id]);
  }
});

test('a checkpoint that was being kept when the process died is cut off, and its records stay', async (t) => {
  const { directory, path, ids, bytes } = await threeCommits(t);
  writeFileSync(path, Buffer.concat([bytes, Buffer.from('{"checkpoint":"rds-token-vendor/po')]));
  const trail = await openFileTrail(t, directory);
  assert.equal((await trail.store.head()).sequence, 7);
  await trail.close();
  assert.deepEqual(verifiedIds(directory), ids);
});

test('pages of zeros that a power cut left in the last commit are cut off with it', async (t) => {
  const { path, bytes, ends, file } = await threeCommits(t);
  const [, , before = 0, after = 0] = ends;
  for (let at = before; at < after - 1; at += 512) {
    const zeroed = Buffer.from(bytes);
    zeroed.fill(0, at, Math.min(at + 512, after));
    for (const content of [zeroed, Buffer.concat([zeroed, Buffer.alloc(4096)])]) {
      writeFileSync(path, content);
      const end = recoverEnd(file, 'pod-1');
      assert.deepEqual([end.head.sequence, end.length], [4, before], `zeros from byte ${at}`);
    }
  }
});

test('zeros in a commit that another one follows are an error of file and line', async (t) => {
  const { path, bytes, ends, file } = await threeCommits(t);
  const zeroed = Buffer.from(bytes);
  zeroed.fill(0, (ends[1] ?? 0) + 100, (ends[1] ?? 0) + 200);
  writeFileSync(path, zeroed);
  assert.throws(() => recoverEnd(file, 'pod-1'), {
    message: `${path}:5: the record is not the one that its hash was made of`,
  });
});

test('one changed bit anywhere in a record is an error that names its file and line', async (t) => {
  const { path, bytes, file } = await threeCommits(t);
  const descriptor = openSync(path, 'r+');
  t.after(() => closeSync(descriptor));
  let line = 0;
  for (let start = 0; start < bytes.length; start = bytes.indexOf(0x0a, start) + 1) {
    line += 1;
    if (!bytes.toString('latin1', start, start + 20).startsWith('{"access_key_id":')) continue;
    const message = new RegExp(`^Error: .*/pod-1/0{15}1\\.ndjson:${line}: `);
    // Its line end too: the two lines are one then.
    for (let at = start; at <= bytes.indexOf(0x0a, start); at++) {
      writeSync(descriptor, Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
      assert.throws(() => recoverEnd(file, 'pod-1'), message, `byte ${at}`);
      writeSync(descriptor, bytes, at, 1, at);
    }
  }
  assert.equal(line, 11);
});

for (const [what, added, message] of [
  ['a foreign line', () => 'foreign\n', /:12: it is no record, checkpoint or anchor$/],
  ['a foreign text', () => 'foreign', /:12: it is no record, checkpoint or anchor$/],
  ['an old record again', (lines) => `${lines[1]}\n`, /:12: the record does not follow record 7$/],
  ['an old checkpoint again', (lines) => `${lines[3]}\n`, /:12: the checkpoint is not that of the records before it$/],
] satisfies [string, (lines: string[]) => string, RegExp][]) {
  test(`${what} at the end is an error, and nothing is changed`, async (t) => {
    const { directory, path, bytes } = await threeCommits(t);
    const text = added(bytes.toString().split('\n'));
    appendFileSync(path, text);
    const trail = fileTrail(t, directory);
    await assert.rejects(trail.writer.open(true), message);
    assert.equal(readFileSync(path, 'utf8'), bytes.toString() + text);
  });
}

test('a file without its anchor, of another number, or emptied is an error that names it', async (t) => {
  const { directory, path, bytes } = await threeCommits(t);
  for (const content of ['', bytes.subarray(bytes.indexOf(0x0a) + 1)]) {
    writeFileSync(path, content);
    await assert.rejects(fileTrail(t, directory).writer.open(true), { message: `${path}:1: the file has no anchor` });
  }
  writeFileSync(path, bytes);
  const renamed = path.replace('01.ndjson', '09.ndjson');
  writeFileSync(renamed, bytes);
  await assert.rejects(fileTrail(t, directory).writer.open(true), {
    message: `${renamed}:1: the anchor is not that of the file’s name`,
  });
});

test('a chain of another instance in the folder is an error', async (t) => {
  const { file } = await threeCommits(t);
  assert.throws(() => recoverEnd(file, 'pod-2'), /:4: the checkpoint is not that of the records before it$/);
});

test('what another process left unsynced is recovered from any anchor, and a torn one is cut off', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 64 * 1024 * 1024 });
  const detail = 'x'.repeat(600 * 1024);
  const records = Array.from({ length: 30 }, () => auditRecord({ detail }));
  for (const record of records) await trail.add(record);
  await trail.store.close();
  const [path = ''] = recordFiles(directory);
  const bytes = readFileSync(path);
  const anchors = [...bytes.toString('latin1').matchAll(/^\{"anchor":/gm)].map(({ index }) => index);
  assert.equal(anchors.length, 3);
  const [, , last = 0] = anchors;
  const whole = recoverEnd({ path, first: 1 }, 'pod-1');
  assert.deepEqual([whole.head.sequence, whole.anchoredAt], [30, last]);
  // Within the anchor, just behind it, and within the record behind it.
  for (const length of [last + 5, bytes.indexOf(0x0a, last), bytes.indexOf(0x0a, last) + 1, last + 5_000]) {
    truncateSync(path, length);
    const end = recoverEnd({ path, first: 1 }, 'pod-1');
    assert.equal(end.length, last);
    assert.equal(end.head.hash?.toString('hex'), end.hashOf(end.head.sequence));
    writeFileSync(path, bytes);
  }
  assert.equal(verifiedIds(directory).length, 30);
});

test('the head comes with the signed checkpoint that covers it, also when a commit is cut off', async (t) => {
  const coveredBy = async ({ store }: FileTrail) => {
    const { sequence, frontier, checkpoint } = await store.head();
    const { size, root } = openCheckpoint(checkpoint ?? '', publicKey);
    assert.deepEqual([size, root], [sequence, rootOf(frontier)]);
    return { sequence, checkpoint };
  };
  const empty = await openFileTrail(t, join(testDirectory(t), 'audit'));
  assert.equal((await empty.store.head()).checkpoint, null);

  const { directory, path, bytes } = await threeCommits(t);
  const trail = await openFileTrail(t, directory);
  const first = await coveredBy(trail);
  assert.equal(first.sequence, 7);
  await trail.store.keep(7, first.checkpoint ?? '');
  assert.deepEqual(await coveredBy(trail), first);
  await trail.add(auditRecord());
  assert.equal((await coveredBy(trail)).sequence, 8);
  await trail.store.close();
  for (const cut of [1, 300, 1_500]) {
    writeFileSync(path, bytes.subarray(0, bytes.length - cut));
    const again = await openFileTrail(t, directory);
    assert.equal((await coveredBy(again)).sequence, 4);
    await again.store.close();
  }
  // As the first commit of a new file, where only the anchor has it.
  writeFileSync(path, bytes);
  const rotated = await openFileTrail(t, directory, { rotateSize: 1 });
  await rotated.add(auditRecord());
  await rotated.store.close();
  const last = recordFiles(directory).at(-1) ?? '';
  truncateSync(last, readFileSync(last).indexOf(0x0a) + 1);
  const anchored = await openFileTrail(t, directory);
  assert.equal((await coveredBy(anchored)).sequence, 7);
});
