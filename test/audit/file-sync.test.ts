import assert from 'node:assert/strict';
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { verifiedIds } from '../support/verified-files.ts';

type Call = 'openSync' | 'writeSync' | 'fsyncSync' | 'fdatasyncSync' | 'ftruncateSync' | 'renameSync' | 'unlinkSync';

/** Lets a test see or fail calls of the file system, which the store makes by their names. */
function onCall(t: TestContext, name: Call, seen: (args: readonly unknown[], result: unknown) => void): void {
  const original = fs[name];
  const mock = t.mock.method(fs, name, (...args: unknown[]) => {
    const result: unknown = Reflect.apply(original, fs, args);
    seen(args, result);
    return result;
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.mock.restore();
    syncBuiltinESMExports();
  });
}

/** What is written, synced and renamed, in this order. Descriptors are named by the path they were opened with. */
function recorded(t: TestContext): string[] {
  const steps: string[] = [];
  const names = new Map<unknown, string>();
  onCall(t, 'openSync', ([path], descriptor) => names.set(descriptor, basename(String(path))));
  onCall(t, 'writeSync', ([descriptor]) => steps.push(`write ${names.get(descriptor)}`));
  onCall(t, 'fsyncSync', ([descriptor]) => steps.push(`sync ${names.get(descriptor)}`));
  onCall(t, 'fdatasyncSync', ([descriptor]) => steps.push(`sync ${names.get(descriptor)}`));
  onCall(t, 'renameSync', ([from, to]) => steps.push(`${basename(String(from))} becomes ${basename(String(to))}`));
  onCall(t, 'unlinkSync', ([path]) => steps.push(`remove ${basename(String(path))}`));
  return steps;
}

const FIRST = '0000000000000001.ndjson';
const THIRD = '0000000000000003.ndjson';

test('a commit is one write and one sync, a new file is whole and synced before it has its name', async (t) => {
  const steps = recorded(t);
  const directory = join(testDirectory(t), 'audit');
  const time = Date.now();
  const trail = await openFileTrail(t, directory, { rotateSize: 4_000, now: () => time });
  const created = ['write next', 'sync next', `next becomes ${FIRST}`, 'sync pod-1', `sync ${FIRST}`];
  assert.deepEqual(steps.splice(0).slice(-created.length), created);
  await trail.add(...Array.from({ length: 2 }, () => auditRecord({ detail: 'x'.repeat(2_000) })));
  assert.deepEqual(steps.splice(0), [`write ${FIRST}`, `sync ${FIRST}`]);
  await trail.add(auditRecord());
  const begun = ['write next', 'sync next', `next becomes ${THIRD}`, 'sync pod-1', `sync ${THIRD}`];
  assert.deepEqual(steps.splice(0), [...begun, `write ${THIRD}`, `sync ${THIRD}`]);
  await trail.write();
  assert.deepEqual(steps.splice(0), ['write probe', 'sync probe', 'sync pod-1']);
  await trail.store.keep(3, 'note');
  assert.deepEqual(steps.splice(0), [`write ${THIRD}`, `sync ${THIRD}`]);
  while (await trail.store.tidy(Number.MAX_SAFE_INTEGER));
  assert.deepEqual(steps.splice(0), [`remove ${FIRST}`, 'sync pod-1']);
});

/** Fails a call once with such an error, after it was made. */
function failOnce(t: TestContext, name: Call, code: string): void {
  let failed = false;
  onCall(t, name, () => {
    if (failed) return;
    failed = true;
    throw Object.assign(new Error(`${code}: made to fail`), { code });
  });
}

for (const [code, failure] of [
  ['EIO', 'EIO: made to fail'],
  ['ENOSPC', 'the disk is full: ENOSPC: made to fail'],
  ['EDQUOT', 'the disk is full: EDQUOT: made to fail'],
] as const) {
  test(`what a failed sync (${code}) left behind is cut off, and the next record goes on`, async (t) => {
    const directory = join(testDirectory(t), 'audit');
    const trail = await openFileTrail(t, directory);
    await trail.add(auditRecord());
    const [path = ''] = recordFiles(directory);
    const before = readFileSync(path);
    failOnce(t, 'fdatasyncSync', code);
    assert.equal((await trail.write(auditRecord())).failure, failure);
    assert.ok(readFileSync(path).equals(before));
    await trail.add(auditRecord());
    assert.equal(verifiedIds(directory).length, 2);
  });
}

test('a store that can neither sync nor cut off is closed, and goes on from what its file has when it opens again', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  await trail.add(auditRecord());
  failOnce(t, 'fdatasyncSync', 'ENOSPC');
  const original = fs.ftruncateSync;
  t.mock.method(fs, 'ftruncateSync', () => assert.fail('EIO: it cannot be cut off'), { times: 1 });
  syncBuiltinESMExports();
  const failure = 'ENOSPC: made to fail, and what was written cannot be cut off: EIO: it cannot be cut off';
  assert.equal((await trail.write(auditRecord())).failure, failure);
  await assert.rejects(trail.store.head(), /not open/);
  fs.ftruncateSync = original;
  syncBuiltinESMExports();
  await trail.add(auditRecord());
  // The record that nobody was told of is whole, so it stays.
  assert.equal(verifiedIds(directory).length, 3);
});

test('a file that is taken away while it is written is found before anybody is told', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  await trail.add(auditRecord());
  const [path = ''] = recordFiles(directory);
  let taken = false;
  onCall(t, 'fdatasyncSync', () => {
    if (!taken) fs.rmSync(path);
    taken = true;
  });
  assert.equal((await trail.write(auditRecord())).failure, 'the file was removed while in use');
});

test('a full disk as a new file begins is passing: records wait, and go on in it later', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 1_000 });
  await trail.add(auditRecord());
  failOnce(t, 'fsyncSync', 'ENOSPC');
  assert.equal((await trail.write(auditRecord())).failure, 'the disk is full: ENOSPC: made to fail');
  assert.equal((await trail.store.head()).sequence, 1);
  assert.equal(recordFiles(directory).length, 1);
  await trail.add(auditRecord());
  assert.equal(recordFiles(directory).length, 2);
  assert.equal(verifiedIds(directory).length, 2);
});
