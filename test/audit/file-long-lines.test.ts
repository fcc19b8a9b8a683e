import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { openFileTrail } from '../support/file-trail.ts';
import { idsOf, readTrail } from '../support/file-walk.ts';
import { verifiedIds } from '../support/verified-files.ts';

const MIB = 1024 * 1024;

/** Three records, of which the last one has a commit of its own. */
async function shortTrail(t: TestContext) {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory);
  const records = Array.from({ length: 3 }, () => auditRecord());
  await trail.add(...records.slice(0, 2));
  const [path = ''] = recordFiles(directory);
  const before = statSync(path).size;
  await trail.add(...records.slice(2));
  return { directory, trail, path, before, ids: records.map(({ id }) => id), reader: await readTrail(directory) };
}

for (const [what, lineEnd] of [
  ['without an end', ''],
  ['with one', '\n'],
] as const) {
  test(`a line of more than 1 MiB ${what} is an error that names its place`, async (t) => {
    const { path, reader, directory, trail } = await shortTrail(t);
    await trail.close();
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, `{"access_key_id":${'x'.repeat(MIB)}${lineEnd}`);
    const size = statSync(path).size;
    const error = { message: `${path}: the line that ends at byte ${size}: it is longer than 1 MiB` };
    await assert.rejects(reader.page({ filter: {}, limit: 1 }), error);
    await assert.rejects(reader.chains(), error);
    await assert.rejects(openFileTrail(t, directory), error);
    // And in the midst, where it is met from the front.
    const lines = whole.split('\n');
    writeFileSync(path, [...lines.slice(0, 2), 'x'.repeat(3 * MIB), ...lines.slice(2)].join('\n'));
    const inFront = { message: `${path}:3: it is longer than 1 MiB` };
    await assert.rejects(reader.records('pod-1', 0, 10), inFront);
    await assert.rejects(reader.count('pod-1', 0, 10), inFront);
    await assert.rejects(openFileTrail(t, directory), /it is longer than 1 MiB$/);
  });
}

test('a file of gigabytes without a line end is not read into memory', async (t) => {
  const { path, reader, directory, trail } = await shortTrail(t);
  await trail.close();
  const size = statSync(path).size + 3 * 1024 * MIB;
  truncateSync(path, size);
  const before = process.resourceUsage().maxRSS;
  const tooLong = /0{15}1\.ndjson: the line that ends at byte \d+: it is longer than 1 MiB$/;
  await assert.rejects(reader.page({ filter: {}, limit: 1 }), tooLong);
  await assert.rejects(openFileTrail(t, directory), tooLong);
  assert.ok(process.resourceUsage().maxRSS - before < 300 * 1024, 'kilobytes');
});

test('megabytes of zeros that a power cut left in the last commit are cut off with it', async (t) => {
  const { directory, trail, path, before, ids, reader } = await shortTrail(t);
  await trail.store.close();
  const bytes = readFileSync(path);
  for (const at of [before, before + 100, bytes.indexOf(0x0a, before), bytes.indexOf(0x0a, before) + 1]) {
    for (const length of [1, MIB - 1, MIB, 3 * MIB + 7]) {
      for (const rest of [Buffer.alloc(0), bytes.subarray(at + 1)]) {
        writeFileSync(path, Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length), rest]));
        // With its checkpoint behind them the commit counts, until the writer has seen what it covers.
        if (rest.length === 0) {
          const { events } = await reader.page({ filter: {}, limit: 10 });
          assert.deepEqual(idsOf(events), ids.slice(0, 2).toReversed(), `${length} zeros from byte ${at}`);
        }
        const again = await openFileTrail(t, directory);
        assert.equal((await again.store.head()).sequence, 2);
        await again.close();
        assert.deepEqual(verifiedIds(directory), ids.slice(0, 2));
      }
    }
  }
});

test('a record whose line no reader would take is refused, and the next one is taken', async (t) => {
  const { directory, trail, path, reader } = await shortTrail(t);
  const size = statSync(path).size;
  const { failure } = await trail.write(auditRecord({ detail: 'é'.repeat(MIB / 2) }));
  assert.equal(failure, 'a record is longer than 1 MiB');
  assert.equal(statSync(path).size, size);
  // The longest that is taken, and it can be read.
  const record = auditRecord({ detail: '' });
  await trail.add(record);
  const length = (await reader.get(record.id))?.length ?? assert.fail();
  const next = auditRecord({ detail: 'x'.repeat(MIB - length - 1) });
  await trail.add(next);
  assert.equal((await reader.get(next.id))?.length, MIB - 1);
  assert.match((await trail.write(auditRecord({ detail: `${next.detail}x` }))).failure ?? '', /1 MiB$/);
  await trail.close();
  assert.equal(verifiedIds(directory).length, 5);
});
