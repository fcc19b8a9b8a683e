import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFileReader } from '../../src/audit/file/file-reader.ts';
import type { StoreReader } from '../../src/audit/store.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';

const START = 1_790_000_000_000;
const MINUTE = 60_000;

const read = (directory: string) => openFileReader({ type: 'file', directory, rotateSize: 1 });
const idsOf = (events: readonly string[]): string[] => events.map((line) => JSON.parse(line).id);

/** All pages of a query; `between` runs after each. */
async function walk(
  reader: StoreReader,
  filter: AuditFilter = {},
  limit = 50,
  between = async () => {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await reader.page({ filter, limit, cursor });
    assert.ok(page.events.length <= limit);
    ids.push(...idsOf(page.events));
    if (page.next === null) return ids;
    cursor = page.next;
    await between();
  }
}

/** 6,000 records of one minute each in some 25 files, written up to two minutes out of the order of their times. */
async function disordered(t: TestContext) {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 300_000 });
  const records = Array.from({ length: 6_000 }, (_, index) => {
    const late = index % 10 === 7 ? 2 * MINUTE : (index % 3) * 20_000;
    return auditRecord({ time: START + index * MINUTE - late, subject: `subject-${index % 500}` });
  });
  for (let at = 0; at < records.length; at += 40) await trail.add(...records.slice(at, at + 40));
  assert.ok(recordFiles(directory).length > 20);
  return { directory, trail, records, reader: await read(directory) };
}

test('a range of time has exactly its records, whatever files they are in', async (t) => {
  const { records, reader } = await disordered(t);
  const newest = records.toReversed();
  for (const [from, length] of [
    [0, 1],
    [3_000, 100],
    [2_999.5, 0.001],
    [5_990, 500],
    [100, 1_500],
    [-50, 60],
    [7_000, 10],
  ] as const) {
    const range = { from: Math.round(START + from * MINUTE), to: Math.round(START + (from + length) * MINUTE) };
    const expected = newest.filter(({ time }) => time >= range.from && time < range.to);
    assert.deepEqual(
      await walk(reader, range, 200),
      expected.map(({ id }) => id),
      `from minute ${from} on`,
    );
    const one = { ...range, subject: 'subject-7' };
    assert.deepEqual(
      await walk(reader, one, 3),
      expected.filter(({ subject }) => subject === 'subject-7').map(({ id }) => id),
    );
  }
});

test('every record is found by its id, and none by another', async (t) => {
  const { records, reader } = await disordered(t);
  for (const { id, subject } of records.filter((_, index) => index % 97 === 0 || index > 5_990)) {
    const { id: found, subject: foundSubject } = JSON.parse((await reader.get(id)) ?? 'null') ?? {};
    assert.deepEqual([found, foundSubject], [id, subject]);
  }
  const [{ id } = assert.fail()] = records;
  for (const other of [
    auditRecord({ time: START + 3_000 * MINUTE }).id,
    id.toUpperCase(),
    `${id}\n`,
    '../pod-1',
    '',
    '*',
  ]) {
    assert.equal(await reader.get(other), null);
  }
});

test('an id in the claims of another record does not stand for it', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  const wanted = auditRecord();
  await trail.add(auditRecord({ claims: { a: 'x', id: wanted.id }, subject: `","id":"${wanted.id}"` }));
  const reader = await read(directory);
  assert.equal(await reader.get(wanted.id), null);
  await trail.add(wanted);
  assert.equal(JSON.parse((await reader.get(wanted.id)) ?? '').sequence, 2);
});

test('a walk has each record that was there once, while records come, files begin and others are retired', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 10_000 });
  const records = Array.from({ length: 200 }, (_, index) => auditRecord({ time: START + index * MINUTE }));
  for (const record of records) await trail.add(record);
  const reader = await read(directory);
  let pages = 0;
  const ids = await walk(reader, {}, 7, async () => {
    pages += 1;
    await trail.add(auditRecord({ time: START + 300 * MINUTE }), auditRecord({ time: START + 300 * MINUTE }));
    if (pages === 10) while (await trail.store.tidy(START + 60 * MINUTE));
  });
  const [first = ''] = recordFiles(directory);
  const removed = Number(first.slice(-23, -7)) - 1;
  assert.ok(removed > 30);
  assert.deepEqual(
    ids,
    records
      .slice(removed)
      .toReversed()
      .map(({ id }) => id),
  );
});

test('the records of several instances come in one order of time, page by page', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const all: AuditRecord[] = [];
  for (let pod = 0; pod < 5; pod++) {
    const trail = await openFileTrail(t, directory, { instance: `pod-${pod}`, rotateSize: 5_000 });
    const records = Array.from({ length: 10 + pod * 7 }, (_, index) =>
      auditRecord({ time: START + (index * 10 + pod) * MINUTE }),
    );
    for (const record of records) await trail.add(record);
    all.push(...records);
  }
  const expected = all.toSorted((a, b) => (a.id < b.id ? 1 : -1)).map(({ id }) => id);
  const reader = await read(directory);
  for (const limit of [1, 3, 1_000]) assert.deepEqual(await walk(reader, {}, limit), expected);
  // Instances that come after the first page are for the next walk.
  let isFirst = true;
  const ids = await walk(reader, {}, 20, async () => {
    if (!isFirst) return;
    isFirst = false;
    const trail = await openFileTrail(t, directory, { instance: 'pod-9' });
    await trail.add(auditRecord({ time: START }));
  });
  assert.deepEqual(ids, expected);
  assert.equal((await walk(reader)).length, expected.length + 1);
});

test('a page looks at a bounded number of bytes, and long lines are read whole', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 20 * 2 ** 20 });
  const detail = 'é'.repeat(2 ** 20);
  const first = auditRecord({ subject: 'wanted' });
  await trail.add(first);
  for (let i = 0; i < 40; i++) await trail.add(auditRecord({ detail }));
  const reader = await read(directory);
  const page = await reader.page({ filter: { subject: 'wanted' }, limit: 10 });
  assert.deepEqual(page.events, []);
  assert.ok(page.next !== null);
  assert.deepEqual(await walk(reader, { subject: 'wanted' }), [first.id]);
  const { events } = await reader.page({ filter: {}, limit: 3 });
  assert.ok(events.every((line) => JSON.parse(line).detail === detail));
});

test('what a writer is about to write is not read', async (t) => {
  const { directory, trail, reader, records } = await disordered(t);
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
  const { directory, trail, records, reader } = await disordered(t);
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
  const reader = await read(directory);
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
  const reader = await read(directory);
  await assert.rejects(walk(reader, {}, 1), { message: `${path}:4: record 4 stands before 3` });
  const sequences = (await reader.records('pod-1', 0, 10)).map(({ sequence }) => sequence);
  assert.deepEqual(sequences, [1, 2, 4, 3, 5, 6]);
});

test('an anchor or a kept checkpoint that is not of the records before it is an error', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 3_000 });
  for (let i = 0; i < 9; i++) await trail.add(auditRecord());
  const [first = '', second = '', third = ''] = recordFiles(directory);
  const reader = await read(directory);
  const [header = '', ...rest] = readFileSync(second, 'utf8').split('\n');
  const [anchor = ''] = readFileSync(third, 'utf8').split('\n');
  writeFileSync(second, [header.replace(/"hash":"./, '"hash":"x'), ...rest].join('\n'));
  await assert.rejects(reader.records('pod-1', 0, 100), { message: `${second}:1: it is not an anchor` });
  for (const wrong of [anchor, header.replace(/"hash":"../, '"hash":"00')]) {
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

test('cursors that no page gave are refused, whatever they name', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  await trail.add(auditRecord(), auditRecord());
  const reader = await read(directory);
  const { next } = await reader.page({ filter: {}, limit: 1 });
  const made = JSON.parse(Buffer.from(next ?? '', 'base64url').toString());
  const [[key]] = made;
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  assert.equal(next, encoded([[key, 1]]));
  for (const cursor of [
    ...['', 'x', `${next}A`, `${next}=`, ` ${next}`, 'A'.repeat(1_000_000)],
    ...[encoded([]), encoded({}), encoded(null), encoded([[key, 0]]), encoded([[key, -1]]), encoded([[key, 1.5]])],
    ...[
      encoded([[key, '1']]),
      encoded([
        [key, 1],
        [key, 2],
      ]),
      encoded([['../../..', 1]]),
      encoded([['AAAAAAAA', 1]]),
    ],
    ...[encoded([[key, 1, 2]]), encoded([[key, 2 ** 60]]), Buffer.from(`[["${key}", 1]]`).toString('base64url')],
  ]) {
    await assert.rejects(reader.page({ filter: {}, limit: 1, cursor }), { name: 'UnknownCursor' }, cursor.slice(0, 80));
  }
});

test('only folders that can be an instance’s are read, and a directory that is gone is not an empty one', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  await assert.rejects(read(directory), { message: `there is no audit store at ${directory}` });
  const trail = await openFileTrail(t, directory);
  const reader = await read(directory);
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
