import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { disorderedTrail, idsOf, MINUTE, readTrail, START, walk } from '../support/file-walk.ts';

test('what a writer is about to write is not read', async (t) => {
  const { directory, trail, reader, records } = await disorderedTrail(t);
  const path = recordFiles(directory).at(-1) ?? '';
  const whole = readFileSync(path);
  await trail.add(auditRecord({ time: START + 7_000 * MINUTE }));
  const commit = readFileSync(path).subarray(whole.length);
  await trail.store.close();
  for (const length of [1, 300, commit.indexOf(0x0a) + 1, commit.indexOf(0x0a) + 50, commit.length - 1]) {
    writeFileSync(path, Buffer.concat([whole, commit.subarray(0, length)]));
    const { events } = await reader.page({ filter: {}, limit: 1 });
    assert.deepEqual(idsOf(events), [records.at(-1)?.id]);
    const [chain] = await reader.chains();
    assert.equal(chain?.head?.sequence, records.length);
    assert.equal((await reader.records('pod-1', records.length - 1, 10)).length, 1);
  }
});

test('a chain is read in steps of any size, from anywhere, and on when there is more', async (t) => {
  const { directory, trail, records, reader } = await disorderedTrail(t);
  for (const [after, step] of [
    [0, 999],
    [0, 6_000],
    [2_345, 100],
    [5_999, 10],
    [6_000, 10],
  ] as const) {
    const sequences: number[] = [];
    for (let last: number = after; ; last = sequences.at(-1) ?? after) {
      const found = await reader.records('pod-1', last, step);
      if (found.length === 0) break;
      sequences.push(...found.map(({ sequence }) => sequence));
    }
    assert.deepEqual(
      sequences,
      Array.from({ length: records.length - after }, (_, index) => after + 1 + index),
    );
  }
  const sizes = async (after: number) => (await reader.checkpoints('pod-1', after, 1_000)).map(({ size }) => size);
  const all = await sizes(0);
  assert.ok(all.length >= recordFiles(directory).length - 1);
  assert.deepEqual(
    all,
    [...new Set(all)].sort((a, b) => a - b),
  );
  assert.deepEqual(
    await sizes(3_000),
    all.filter((size) => size > 3_000),
  );
  assert.equal((await reader.records('pod-1', 5_990, 10)).length, 10);
  await trail.add(auditRecord());
  assert.deepEqual(
    (await reader.records('pod-1', 6_000, 10)).map(({ sequence }) => sequence),
    [6_001],
  );
});

test('a line that is not as it was written is an error of file and line, in a page and in a chain', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 5_000 });
  for (let i = 0; i < 12; i++) await trail.add(auditRecord());
  const reader = await readTrail(directory);
  const [, second = ''] = recordFiles(directory);
  const whole = readFileSync(second, 'utf8');
  for (const [broken, line, why] of [
    [whole.replace('{"access_key_id"', 'x{"access_key_id"'), 2, 'it is no record, checkpoint or anchor'],
    [whole.replace('1,"hash":"', '1,"hush":"'), 2, 'it is not a record'],
    [whole.replace(/"sequence":\d+/, '"sequence":"1"'), 2, 'it is not a record'],
    [whole.slice(0, -20), whole.split('\n').length - 1, 'it has no line end'],
  ] as const) {
    writeFileSync(second, broken);
    const error = { message: `${second}:${line}: ${why}` };
    await assert.rejects(walk(reader), error);
    await assert.rejects(reader.records('pod-1', 0, 100), error);
  }
  writeFileSync(second, whole.replace('"outcome":"issued"', '"outcome":"issued'));
  await assert.rejects(walk(reader), { message: `${second}:2: it is not JSON` });
});

test('records out of order end a walk with an error, and a chain gives them as they stand', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  await trail.add(...Array.from({ length: 6 }, () => auditRecord()));
  const [path = ''] = recordFiles(directory);
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [...lines.slice(0, 3), lines[4], lines[3], ...lines.slice(5)].join('\n'));
  const reader = await readTrail(directory);
  await assert.rejects(walk(reader, {}, 1), { message: `${path}:4: record 4 stands before 3` });
  const sequences = (await reader.records('pod-1', 0, 10)).map(({ sequence }) => sequence);
  assert.deepEqual(sequences, [1, 2, 4, 3, 5, 6]);
});

test('an anchor or a kept checkpoint that is not of the records before it is an error', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 3_000 });
  for (let i = 0; i < 9; i++) await trail.add(auditRecord());
  const [first = '', second = '', third = ''] = recordFiles(directory);
  const reader = await readTrail(directory);
  const [header = '', ...rest] = readFileSync(second, 'utf8').split('\n');
  const [anchor = ''] = readFileSync(third, 'utf8').split('\n');
  writeFileSync(second, [header.replace(/"hash":"./, '"hash":"x'), ...rest].join('\n'));
  await assert.rejects(reader.records('pod-1', 0, 100), { message: `${second}:1: it is not an anchor` });
  const otherHash = header.replace(/"hash":"./, (start) => `"hash":"${start.endsWith('0') ? '1' : '0'}`);
  for (const wrong of [anchor, otherHash]) {
    writeFileSync(second, [wrong, ...rest].join('\n'));
    await assert.rejects(reader.records('pod-1', 0, 100), {
      message: `${second}:1: the anchor is not that of the records before it`,
    });
  }
  writeFileSync(second, [header, ...rest].join('\n'));
  const kept = readFileSync(first, 'utf8')
    .split('\n')
    .find((line) => line.endsWith('"kept":true}'));
  await trail.store.close();
  appendFileSync(third, `${kept}\n`);
  await assert.rejects(reader.checkpoints('pod-1', 0, 100), /: it stands behind one of size \d+$/);
});

test('only folders that can be an instance’s are read, and a directory that is gone is not an empty one', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  await assert.rejects(readTrail(directory), { message: `there is no audit store at ${directory}` });
  const trail = await openFileTrail(t, directory);
  const reader = await readTrail(directory);
  // A chain that was opened and never written to is not there yet.
  assert.deepEqual([await reader.chains(), await walk(reader)], [[], []]);
  await trail.add(auditRecord());
  for (const name of ['.hidden', 'a b', '-x', 'empty']) mkdirSync(join(directory, name));
  for (const name of ['.hidden', 'a b', '-x'])
    symlinkSync(recordFiles(directory)[0] ?? '', join(directory, name, '0000000000000001.ndjson'));
  writeFileSync(join(directory, 'file'), '');
  writeFileSync(join(directory, 'pod-1', 'notes.txt'), 'x');
  assert.deepEqual(
    (await reader.chains()).map(({ instance }) => instance),
    ['pod-1'],
  );
  assert.equal((await walk(reader)).length, 1);
  for (const instance of ['../audit/pod-1', '.hidden', 'a b', '', 'nowhere']) {
    assert.deepEqual(await reader.records(instance, 0, 10), []);
    assert.deepEqual(await reader.checkpoints(instance, 0, 10), []);
  }
  await trail.store.close();
  rmSync(directory, { recursive: true });
  for (const asked of [reader.page({ filter: {}, limit: 1 }), reader.chains(), reader.get(auditRecord().id)]) {
    await assert.rejects(asked, { message: `there is no audit store at ${directory}` });
  }
});
