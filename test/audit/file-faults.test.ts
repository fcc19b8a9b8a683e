import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { renameSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { readFileRecords, recordFiles } from '../support/file-records.ts';
import { fileTrail, openFileTrail } from '../support/file-trail.ts';
import { verifiedIds } from '../support/verified-files.ts';

const child = fileURLToPath(new URL('../support/file-store-child.ts', import.meta.url));

/** A trail with two commits in its second file. */
async function usedTrail(t: TestContext) {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 4_000 });
  for (let i = 0; i < 5; i++) await trail.add(auditRecord());
  const [first = '', path = ''] = recordFiles(directory);
  assert.equal(recordFiles(directory).length, 2);
  return { directory, trail, first, path, content: readFileSync(path) };
}

type Used = Awaited<ReturnType<typeof usedTrail>>;

const FAULTS: readonly (readonly [what: string, fault: (used: Used) => void, failure: RegExp, later: RegExp])[] = [
  ['removed', ({ path }) => rmSync(path), /^the file was removed while in use$/, /^the file was removed while in use$/],
  [
    'moved away with its folder',
    ({ directory }) => renameSync(directory, `${directory}.gone`),
    /^the file was removed while in use$/,
    /^the file was removed while in use$/,
  ],
  [
    'replaced by a shorter one that chains on',
    ({ path, content }) => {
      rmSync(path);
      writeFileSync(
        path,
        content.subarray(0, content.indexOf('\n{"access', content.indexOf('{"checkpoint"', 900)) + 1),
      );
    },
    /^the file was replaced while in use$/,
    /^records were removed while in use$/,
  ],
  [
    'truncated to an earlier commit',
    ({ path, content }) => truncateSync(path, content.indexOf('\n{"access', content.indexOf('"kept":')) + 1),
    /^the file was truncated while in use$/,
    /^records were removed while in use$/,
  ],
  ['emptied', ({ path }) => truncateSync(path), /^the file was truncated while in use$/, /:1: the file has no anchor$/],
  [
    'appended to',
    ({ path }) => appendFileSync(path, '{"access_key_id":null}\n'),
    /^somebody else wrote to the file while in use$/,
    /pod-1\/0{15}4\.ndjson:\d+: it is not a record$/,
  ],
  [
    'appended to, a record again',
    ({ path, content }) => appendFileSync(path, content.toString().split('\n')[1] + '\n'),
    /^somebody else wrote to the file while in use$/,
    /pod-1\/0{15}4\.ndjson:\d+: the record does not follow record 5$/,
  ],
];

for (const [what, fault, failure, later] of FAULTS) {
  test(`a file that is ${what} while in use takes no record, and is neither made again nor mended`, async (t) => {
    const used = await usedTrail(t);
    fault(used);
    const tree = () => readdirSync(join(used.directory, '..'), { encoding: 'utf8', recursive: true }).sort();
    const before = [tree(), recordFiles(used.directory).map((path) => readFileSync(path, 'latin1'))];
    assert.match((await used.trail.write(auditRecord())).failure ?? 'taken', failure);
    for (let i = 0; i < 3; i++) assert.match((await used.trail.write(auditRecord())).failure ?? 'taken', later);
    assert.match((await used.trail.write()).failure ?? 'taken', later);
    assert.deepEqual([tree(), recordFiles(used.directory).map((path) => readFileSync(path, 'latin1'))], before);
  });
}

test('a file that is put back takes records again', async (t) => {
  const { directory, trail, path } = await usedTrail(t);
  renameSync(path, `${path}.away`);
  assert.match((await trail.write(auditRecord())).failure ?? '', /removed/);
  renameSync(`${path}.away`, path);
  await trail.add(auditRecord());
  assert.equal(verifiedIds(directory).length, 6);
});

test('a copy with the same content in place of the file is refused once, and then used', async (t) => {
  const { directory, trail, path } = await usedTrail(t);
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
  assert.equal((await trail.write(auditRecord())).failure, 'the file was replaced while in use');
  await trail.add(auditRecord());
  assert.equal(verifiedIds(directory).length, 6);
});

test('a record edited in place is found when the store is opened again', async (t) => {
  const { trail, path, content } = await usedTrail(t);
  await trail.store.close();
  const at = content.indexOf('app_rw');
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, 'app_ro', at);
  closeSync(descriptor);
  await assert.rejects(
    trail.store.open(false),
    /0{15}4\.ndjson:2: the record is not the one that its hash was made of$/,
  );
});

test('the probe fails when the file is gone, and writes no record', async (t) => {
  const { directory, trail, path } = await usedTrail(t);
  assert.equal((await trail.write()).failure, null);
  assert.equal(readFileRecords(directory).length, 5);
  rmSync(path);
  await assert.rejects(trail.store.probe(), /^Error: the file was removed while in use$/);
});

test('a probe does not write through a link', async (t) => {
  const { directory, trail } = await usedTrail(t);
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'precious');
  rmSync(join(directory, 'pod-1', 'probe'));
  symlinkSync(victim, join(directory, 'pod-1', 'probe'));
  await assert.rejects(trail.store.probe(), { code: 'ELOOP' });
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
});

test('a missing store is only made at the start', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = fileTrail(t, directory);
  await assert.rejects(trail.store.open(false), /^Error: the file was removed while in use$/);
  assert.deepEqual(readdirSync(join(directory, '..')), []);
  mkdirSync(join(directory, 'pod-1'), { recursive: true });
  await assert.rejects(trail.store.open(false), /^Error: the file was removed while in use$/);
  assert.deepEqual(readdirSync(join(directory, 'pod-1')), []);
});

test('a place that is no folder, or cannot be written, is an error', async (t) => {
  const top = testDirectory(t);
  writeFileSync(join(top, 'file'), '');
  await assert.rejects(fileTrail(t, join(top, 'file')).store.open(true), { code: /EEXIST|ENOTDIR/ });
  mkdirSync(join(top, 'audit', 'pod-1', 'probe'), { recursive: true });
  await assert.rejects(fileTrail(t, join(top, 'audit')).store.open(true), { code: 'EISDIR' });
  if (process.getuid?.() === 0) return;
  mkdirSync(join(top, 'closed'));
  chmodSync(join(top, 'closed'), 0o500);
  await assert.rejects(fileTrail(t, join(top, 'closed')).store.open(true), { code: 'EACCES' });
});

const BUSY = /^(?:Error: )?another process writes under the same instance name$/;

test('a second store of the same instance is refused until the first one is closed, in this process', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const first = await openFileTrail(t, directory);
  const second = fileTrail(t, directory);
  await assert.rejects(second.store.open(true), BUSY);
  await first.add(auditRecord());
  await openFileTrail(t, directory, { instance: 'pod-2' });
  await first.close();
  await second.writer.open(true);
  await second.add(auditRecord());
  assert.equal(verifiedIds(directory).length, 2);
});

test('a second process of the same instance is refused, and takes over when the first is killed', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const holder = start(t, 'hold', directory);
  assert.equal(await holder.word(), 'open');
  await assert.rejects(fileTrail(t, directory).store.open(true), BUSY);
  assert.match(await start(t, 'hold', directory).word(), BUSY);
  holder.process.kill('SIGKILL');
  await once(holder.process, 'exit');
  const next = await openFileTrail(t, directory);
  assert.match(await start(t, 'hold', directory).word(), BUSY);
  await next.close();
  assert.equal(await start(t, 'hold', directory).word(), 'open');
});

test('a thread that dies lets go of its lock', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const module = new URL('../../src/audit/file/file-store.ts', import.meta.url).href;
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(async ({ createFileStore }) => {
      await createFileStore({ type: 'file', directory: workerData.directory, rotateSize: 1e6 }, 'pod-1').open(true);
      parentPort.postMessage('open');
      setInterval(() => undefined, 1_000);
    });`;
  const worker = new Worker(code, { eval: true, workerData: { module, directory } });
  await once(worker, 'message');
  await assert.rejects(fileTrail(t, directory).store.open(true), BUSY);
  await worker.terminate();
  await openFileTrail(t, directory);
});

test('a full disk refuses a record, leaves no part of it, and the store takes the next one that fits', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  // 80 blocks of 512 bytes: the third record finds less than it needs, and its write is a short one.
  const filler = start(t, 'fill', directory, 80);
  const words = [];
  for (let i = 0; i < 8; i++) words.push(await filler.word());
  assert.deepEqual(words, ['open', 'taken', 'passing', 'passing', 'passing', 'taken', 'passing', 'taken']);
  const records = readFileRecords(directory);
  assert.deepEqual(
    records.map(({ sequence, detail }) => [sequence, detail?.length]),
    [
      [1, 20_000],
      [2, 100],
      [3, 100],
    ],
  );
});

/** Runs `file-store-child.ts`; `fileLimit` is in blocks of the shell's `ulimit -f`. */
function start(t: TestContext, task: string, directory: string, fileLimit?: number) {
  const limit = fileLimit === undefined ? 'unlimited' : String(fileLimit);
  const command = ['ulimit -f "$0" && exec "$@"', limit, process.execPath, child, task, directory];
  const started: ChildProcess & { stdout: NodeJS.ReadableStream } = spawn('sh', ['-c', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => started.kill('SIGKILL'));
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  return { process: started, word: async (): Promise<string> => (await lines.next()).value ?? 'ended' };
}
