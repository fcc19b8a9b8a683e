import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { leafHash } from '../../src/audit/chain/extend.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { type FileLine, recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { verdictOn } from '../support/file-verdict.ts';
import { readTrail, walk } from '../support/file-walk.ts';

/** Nine records of one commit each, in files that begin with records 1, 4 and 7; the writer is gone. */
async function closedTrail(t: TestContext) {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 4_000 });
  const records = Array.from({ length: 9 }, () => auditRecord());
  for (const record of records) await trail.add(record);
  await trail.close();
  const files = recordFiles(directory);
  assert.deepEqual(
    files.map((path) => Number(path.slice(-23, -7))),
    [1, 4, 7],
  );
  assert.deepEqual(await verdictOn(directory), []);
  const reader = await readTrail(directory);
  const lines = files.flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  const lineOf = (sequence: number) => lines.find((line) => line.includes(`,"sequence":${sequence},`)) ?? assert.fail();
  return { directory, reader, files, lineOf, ids: records.map(({ id }) => id) };
}

type Closed = Awaited<ReturnType<typeof closedTrail>>;

/** A record of the trail with other members, and the hash that belongs to them. */
function forged({ lineOf }: Closed, sequence: number, members: Readonly<Record<string, unknown>> = {}): string {
  const { hash: _hash, ...record } = { ...JSON.parse(lineOf(sequence)), user: 'forged', ...members };
  return JSON.stringify({ ...record, hash: leafHash(JSON.stringify(record)).toString('hex') });
}

/** Puts a line in front of, or behind, the only one that has this text. */
function insert(path: string, line: string, place: 'before' | 'after', text: string): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.findIndex((each) => each.includes(text));
  assert.ok(at >= 0 && lines.findLastIndex((each) => each.includes(text)) === at);
  writeFileSync(path, lines.toSpliced(place === 'before' ? at : at + 1, 0, line).join('\n'));
}

const COPIED_HASH = (trail: Closed) => trail.lineOf(9).replace(/"user":"[^"]*"/, '"user":"forged"');
const CASES: Readonly<Record<string, (trail: Closed) => void>> = {
  'with an earlier number, behind the anchor that the chain begins with': (trail) => {
    const [first = '', second = ''] = trail.files;
    rmSync(first);
    insert(second, forged(trail, 2), 'after', '{"anchor":');
  },
  'with the number before that anchor': (trail) => {
    const [first = '', second = ''] = trail.files;
    rmSync(first);
    insert(second, forged(trail, 3), 'after', '{"anchor":');
  },
  'with an earlier number, behind the anchor of a later file': (trail) =>
    insert(trail.files[2] ?? '', forged(trail, 5), 'after', '{"anchor":'),
  'with the last number, behind the last record': (trail) =>
    insert(trail.files[2] ?? '', forged(trail, 9), 'after', ',"sequence":9,'),
  'with the last number, in front of the last record': (trail) =>
    insert(trail.files[2] ?? '', forged(trail, 9), 'before', ',"sequence":9,'),
  'with the last number and its hash, behind the last record': (trail) =>
    insert(trail.files[2] ?? '', COPIED_HASH(trail), 'after', ',"sequence":9,'),
  'with the last number and its hash, in front of the last record': (trail) =>
    insert(trail.files[2] ?? '', COPIED_HASH(trail), 'before', ',"sequence":9,'),
  'that follows the last record, in front of an earlier one': (trail) =>
    insert(trail.files[1] ?? '', forged(trail, 5, { sequence: 10 }), 'before', ',"sequence":5,'),
};

for (const [what, edit] of Object.entries(CASES)) {
  test(`a record put in ${what}, is found and never shown`, async (t) => {
    const trail = await closedTrail(t);
    edit(trail);
    assert.notDeepEqual(await verdictOn(trail.directory), []);
    // Page by page: what a page gives before the error is read.
    const shown: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await trail.reader.page({ filter: {}, limit: 1, cursor }).catch(() => null);
      shown.push(...(page?.events ?? []));
      if (page === null || page.next === null) break;
      cursor = page.next;
    }
    shown.push(
      ...(await Promise.all(trail.ids.map((id) => trail.reader.get(id).catch(() => null)))).flatMap(
        (line) => line ?? [],
      ),
    );
    assert.ok(shown.length > 0);
    assert.deepEqual(
      shown.filter((line) => JSON.parse(line).user === 'forged'),
      [],
    );
  });
}

test('a record that was changed under its hash is an error by its id, and those beside it are not', async (t) => {
  const { reader, files, lineOf, ids } = await closedTrail(t);
  const [, second = ''] = files;
  writeFileSync(second, readFileSync(second, 'utf8').replace(lineOf(5), lineOf(5).replace('app_rw', 'app_ro')));
  await assert.rejects(reader.get(ids[4] ?? ''), {
    message: `${second}:4: the record is not the one that its hash was made of`,
  });
  assert.equal(await reader.get(ids[3] ?? ''), lineOf(4));
  assert.equal(await reader.get(ids[5] ?? ''), lineOf(6));
});

test('a count is of every record line in the range, wherever it stands, without what is being written', async (t) => {
  const trail = await closedTrail(t);
  const { reader, files } = trail;
  const [, second = '', third = ''] = files;
  const count = (after: number | null, upTo: number) => reader.count('pod-1', after, upTo);
  const counts = async () => [await count(null, Infinity), await count(0, 9), await count(3, 7), await count(null, 0)];
  assert.deepEqual(await counts(), [9, 9, 4, 0]);
  assert.deepEqual([await reader.count('pod-2', null, 9), await reader.count('../audit/pod-1', null, 9)], [0, 0]);
  appendFileSync(third, `${forged(trail, 5)}\n${forged(trail, 5).slice(0, 100)}`);
  assert.deepEqual(await counts(), [9, 9, 4, 0]);
  insert(second, forged(trail, 2), 'after', '{"anchor":');
  insert(second, forged(trail, 5), 'before', trail.lineOf(5));
  assert.deepEqual(await counts(), [11, 11, 5, 0]);
  assert.equal(await count(null, 3), 4);
  // One with a number that is not reached, where nobody looks for it.
  insert(second, forged(trail, 5, { sequence: 5_000 }), 'before', trail.lineOf(5));
  assert.equal(await count(0, 9), 12);
});

test('a retired beginning is no fault, and neither is one line less: that is told with its number', async (t) => {
  const { directory, reader, files, lineOf, ids } = await closedTrail(t);
  const [first = '', second = ''] = files;
  rmSync(first);
  assert.deepEqual(await verdictOn(directory), []);
  assert.deepEqual(await walk(reader), ids.slice(3).toReversed());
  writeFileSync(second, readFileSync(second, 'utf8').replace(`${lineOf(5)}\n`, ''));
  const verdict: readonly string[] = await verdictOn(directory);
  assert.ok(verdict.includes('record 5 was removed'), verdict.join('\n'));
});

test('the anchor of an earlier state, which is signed, does not take the chain back', async (t) => {
  const trail = await closedTrail(t);
  const third = trail.files[2] ?? '';
  const [anchor = ''] = readFileSync(third, 'utf8').split('\n');
  const parsed: FileLine = JSON.parse(anchor);
  assert.equal(parsed.anchor?.size, 6);
  const lines = readFileSync(third, 'utf8').split('\n').length;
  appendFileSync(third, `${anchor}\n`);
  await assert.rejects(openFileTrail(t, trail.directory), {
    message: `${third}:${lines}: the anchor is not that of the records before it`,
  });
});
