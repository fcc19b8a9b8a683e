import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { linesOf, readFileRecords, recordFiles } from '../support/file-records.ts';
import { openFileTrail, publicKey } from '../support/file-trail.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';
import { verifiedIds } from '../support/verified-files.ts';

test('a new file begins at the first commit behind rotateSize, and the chain goes on through all of them', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const records = Array.from({ length: 120 }, () => auditRecord());
  let trail = await openFileTrail(t, directory, { rotateSize: 20_000 });
  for (let at = 0; at < records.length; at += 3) {
    await trail.add(...records.slice(at, at + 3));
    // A restart at any moment, also as the first commit of a file.
    if (at % 10 === 0) {
      await trail.close();
      trail = await openFileTrail(t, directory, { rotateSize: 20_000 });
    }
  }
  await trail.close();
  const files = recordFiles(directory);
  assert.ok(files.length >= 6);
  for (const path of files.slice(0, -1)) {
    const { size } = statSync(path);
    assert.ok(size >= 20_000 && size < 25_000, `${size}`);
  }
  assert.deepEqual(
    verifiedIds(directory),
    records.map(({ id }) => id),
  );
});

test('the checkpoint of every commit stays, and a file ends in a kept one', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const time = Date.now();
  const trail = await openFileTrail(t, directory, { rotateSize: 6_000, now: () => time });
  for (let i = 0; i < 12; i++) await trail.add(auditRecord());
  await trail.store.close();
  const [first = []] = recordFiles(directory).map(linesOf);
  const checkpoints = first.flatMap(({ checkpoint = '', kept }) =>
    kept === undefined ? [] : [[openCheckpoint(checkpoint, publicKey).size, kept]],
  );
  // The first commit's is kept because none was before; the last one's is written again when its file ends.
  assert.deepEqual(checkpoints, [[1, true], [2, false], [3, false], [4, false], [5, false], [5, true]]); // biome-ignore format: pairs
});

test('a file that is there in the place of the next one is not written over', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 1_000 });
  await trail.add(auditRecord(), auditRecord());
  const next = join(directory, 'pod-1', '0000000000000003.ndjson');
  writeFileSync(next, 'somebody else’s');
  assert.match((await trail.write(auditRecord())).failure ?? '', /0000000000000003\.ndjson is there already$/);
  assert.equal(readFileSync(next, 'utf8'), 'somebody else’s');
  assert.match((await trail.write(auditRecord())).failure ?? '', /0000000000000003\.ndjson:1: it is no record/);
});

test('what a process that died left of a new file is taken away', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 1_000 });
  await trail.add(auditRecord());
  writeFileSync(join(directory, 'pod-1', 'next'), '{"anch');
  await trail.add(auditRecord());
  await trail.close();
  assert.equal(verifiedIds(directory).length, 2);
  assert.deepEqual(readdirSync(join(directory, 'pod-1')), [
    '0000000000000001.ndjson',
    '0000000000000002.ndjson',
    'lock',
    'probe',
  ]);
});

test('folders are mode 0700 and files 0600, whatever the umask; a folder that is there keeps its mode', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const top = testDirectory(t);
  mkdirSync(join(top, 'audit'), { mode: 0o750 });
  const directory = join(top, 'audit', 'deep');
  const trail = await openFileTrail(t, directory, { rotateSize: 1_000 });
  for (let i = 0; i < 3; i++) await trail.add(auditRecord());
  const mode = (path: string) => statSync(path).mode & 0o777;
  const folder = join(directory, 'pod-1');
  assert.deepEqual([join(top, 'audit'), directory, folder].map(mode), [0o750, 0o700, 0o700]);
  assert.equal(readdirSync(folder).length, 5);
  for (const name of readdirSync(folder)) assert.equal(mode(join(folder, name)), 0o600, name);
});

test('any text is one line of a file that parses to the same text', async (t) => {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  const texts = [
    ...NAUGHTY_STRINGS,
    '\u0000',
    '\ud800',
    '\u2028\u2029\u0085',
    '\u001b[2J',
    '\n{"anchor":{}}\n',
    'x'.repeat(2 ** 18),
  ];
  const claims = { id: '","id":"', sequence: ',"sequence":1', time: ',"time":"', previous_hash: 'null' };
  const records = texts.map((text) => auditRecord({ subject: text, userAgent: text, requestId: text, claims }));
  for (let at = 0; at < records.length; at += 100) await trail.add(...records.slice(at, at + 100));
  await trail.close();
  const lines = readFileRecords(directory);
  for (const [index, text] of texts.entries()) {
    const kept = text.toWellFormed().replaceAll('\0', '\ufffd');
    const { subject, user_agent, request_id } = lines[index] ?? assert.fail();
    assert.deepEqual([subject, user_agent, request_id], [kept, kept, kept]);
  }
  assert.equal(verifiedIds(directory).length, texts.length);
  // And whoever opens it again reads the same members out of them.
  const again = await openFileTrail(t, directory);
  assert.equal((await again.store.head()).sequence, texts.length);
});
