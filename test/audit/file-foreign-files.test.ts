import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createStore } from '../../src/audit/open-store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { verdictOn } from '../support/file-verdict.ts';
import { readTrail, walk } from '../support/file-walk.ts';

async function trailOf(t: TestContext, ...instances: readonly string[]): Promise<string> {
  const directory = join(testDirectory(t), 'audit');
  for (const instance of instances) {
    const trail = await openFileTrail(t, directory, { instance });
    await trail.add(auditRecord());
    await trail.close();
  }
  return directory;
}

function makePipe(path: string): void {
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

/** Runs in a process of its own, which is killed when it hangs. */
function runApart(code: string, directory: string): string {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const imports = `import { openFileReader } from ${url('../../src/audit/file/file-reader.ts')};
    import { createFileStore } from ${url('../../src/audit/file/file-store.ts')};
    const store = { type: 'file', directory: ${JSON.stringify(directory)}, rotateSize: 1e6 };`;
  const run = ['--input-type=module', '--eval', `${imports}\n${code}`];
  const { stdout, stderr } = spawnSync(process.execPath, run, { timeout: 20_000, encoding: 'utf8' });
  return stdout || stderr || 'it hung';
}

const READ = `const reader = await openFileReader(store);
  const { events } = await reader.page({ filter: {}, limit: 10 });
  const [chain] = await reader.chains();
  const records = await reader.records('pod-1', 0, 10);
  const found = await reader.get(JSON.parse(events[0]).id);
  console.log(events.length, chain.head.sequence, records.length, found === events[0]);`;

const OTHERS: Readonly<Record<string, (path: string, directory: string) => void>> = {
  pipe: makePipe,
  folder: (path) => mkdirSync(path),
  link: (path, directory) => symlinkSync(recordFiles(directory)[0] ?? '', path),
  'link to nowhere': (path) => symlinkSync('nowhere', path),
};

for (const [what, make] of Object.entries(OTHERS)) {
  test(`a ${what} with the name of a record file is not read, and verify tells of it`, async (t) => {
    const directory = await trailOf(t, 'pod-1');
    const paths = ['0000000000000000.ndjson', '0000000000000002.ndjson'].map((name) => join(directory, 'pod-1', name));
    for (const path of paths) make(path, directory);
    assert.equal(runApart(READ, directory), '1 1 1 true\n');
    assert.deepEqual(
      await verdictOn(directory),
      paths.map((path) => `the store was changed: ${path} is not a regular file`),
    );
  });
}

test('a record file that a pipe took the place of is no file, for the writer too', async (t) => {
  const directory = await trailOf(t, 'pod-1');
  const [path = ''] = recordFiles(directory);
  renameSync(path, `${path}.away`);
  makePipe(path);
  const opened = runApart(
    `await createFileStore(store, 'pod-1').open(true).catch(({ message }) => console.log(message));`,
    directory,
  );
  assert.equal(opened, `${path} is there already\n`);
});

test('a pipe in place of the probe is an error, and nobody waits for it', async (t) => {
  const directory = await trailOf(t, 'pod-1');
  rmSync(join(directory, 'pod-1', 'probe'));
  makePipe(join(directory, 'pod-1', 'probe'));
  assert.equal(
    runApart(`await createFileStore(store, 'pod-1').open(false).catch(({ code }) => console.log(code));`, directory),
    'ENXIO\n',
  );
});

test('a store has no faults while it is used, with other files and folders beside it', async (t) => {
  const directory = await trailOf(t, 'pod-1', 'pod-2');
  const trail = await openFileTrail(t, directory);
  // What a process that died left, and what others keep in the same place.
  writeFileSync(join(directory, 'pod-2', 'next'), '{"anch');
  writeFileSync(join(directory, 'checkpoint-key.pem'), '');
  for (const name of ['lost+found', 'ca-bundles', 'pod-3']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'ca-bundles', 'global.pem'), '');
  await trail.add(auditRecord());
  assert.deepEqual(await (await readTrail(directory)).faults(), []);
  assert.deepEqual(await verdictOn(directory), []);
});

test('what is not of the store, where records are, is a fault with its path', async (t) => {
  const directory = await trailOf(t, 'pod-1');
  const [file = ''] = recordFiles(directory);
  const put = (...path: readonly string[]) => copyFileSync(file, join(directory, ...path));
  for (const name of ['.hidden', 'a b']) {
    mkdirSync(join(directory, name));
    put(name, '0000000000000001.ndjson');
  }
  put('0000000000000001.ndjson');
  put('pod-1', '2.ndjson');
  put('pod-1', '0000000000000001.ndjson.old');
  mkdirSync(join(directory, 'pod-1', 'away'));
  rmSync(join(directory, 'pod-1', 'lock'));
  symlinkSync('probe', join(directory, 'pod-1', 'lock'));
  symlinkSync('nowhere', join(directory, 'pod-9'));
  const reader = await readTrail(directory);
  const expected = [
    '.hidden has record files, and its name is no instance’s: they are not read',
    '0000000000000001.ndjson is no folder of an instance',
    'a b has record files, and its name is no instance’s: they are not read',
    'pod-1/0000000000000001.ndjson.old is not of the store',
    'pod-1/2.ndjson is not of the store',
    'pod-1/away is not of the store',
    'pod-1/lock is not a regular file',
    'pod-9 is no folder of an instance',
  ];
  assert.deepEqual(
    await reader.faults(),
    expected.map((says) => join(directory, says)),
  );
  assert.equal((await verdictOn(directory)).length, expected.length);
  assert.equal((await walk(reader)).length, 1);
});

test('of many faults the first ones are told, and how many more there are', async (t) => {
  const directory = await trailOf(t, 'pod-1');
  for (let i = 0; i < 25; i++) writeFileSync(join(directory, `${i}.ndjson`), '');
  const faults = await (await readTrail(directory)).faults();
  assert.deepEqual([faults.length, faults.at(-1)], [21, '5 more of the kind']);
});

for (const name of ['', '.hidden', '-x', 'a b', 'a+b', '../pod-1', 'a/b', 'pod-1\n', 'é', 'x'.repeat(254)]) {
  test(`an instance called ${JSON.stringify(name.slice(0, 20))}, which no reader would look for, is refused`, async (t) => {
    const store = { type: 'file', directory: join(testDirectory(t), 'audit'), rotateSize: 1 } as const;
    await assert.rejects(
      createStore(store, name),
      / is no instance's name: no reader would find the records under it$/,
    );
  });
}
