import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { disorderedTrail, MINUTE, readTrail, START, walk } from '../support/file-walk.ts';

test('a range of time has exactly its records, whatever files they are in', async (t) => {
  const { records, reader } = await disorderedTrail(t);
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
  const { records, reader } = await disorderedTrail(t);
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
  const reader = await readTrail(directory);
  assert.equal(await reader.get(wanted.id), null);
  await trail.add(wanted);
  assert.equal(JSON.parse((await reader.get(wanted.id)) ?? '').sequence, 2);
});

test('a walk has each record that was there once, while records come, files begin and others are retired', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 10_000 });
  const records = Array.from({ length: 200 }, (_, index) => auditRecord({ time: START + index * MINUTE }));
  for (const record of records) await trail.add(record);
  const reader = await readTrail(directory);
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
  const reader = await readTrail(directory);
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
  const detail = 'é'.repeat(2 ** 18);
  const first = auditRecord({ subject: 'wanted' });
  await trail.add(first);
  for (let i = 0; i < 80; i++) await trail.add(auditRecord({ detail }));
  const reader = await readTrail(directory);
  const page = await reader.page({ filter: { subject: 'wanted' }, limit: 10 });
  assert.deepEqual(page.events, []);
  assert.ok(page.next !== null);
  assert.deepEqual(await walk(reader, { subject: 'wanted' }), [first.id]);
  const { events } = await reader.page({ filter: {}, limit: 3 });
  assert.ok(events.every((line) => JSON.parse(line).detail === detail));
});

test('cursors that no page gave are refused, whatever they name', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  await trail.add(auditRecord(), auditRecord());
  const reader = await readTrail(directory);
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
