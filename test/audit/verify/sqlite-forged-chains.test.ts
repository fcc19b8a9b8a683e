import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { openReader } from '../../../src/audit/open-store.ts';
import { createSqliteStore } from '../../../src/audit/sqlite/sqlite-store.ts';
import type { StoreReader } from '../../../src/audit/store.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { testDirectory } from '../../support/audit-setup.ts';
import { checkpointKey, writeRecords } from '../../support/written-chain.ts';

/*
 * Records that somebody without the key puts into the SQLite file beside a good chain, where pages show them. Each is made
 * to look like a part of a chain that the verification does not read.
 */

const key = checkpointKey();

async function written(t: TestContext, instance = 'pod-1'): Promise<string> {
  const path = join(testDirectory(t), 'audit.db');
  const store = createSqliteStore({ type: 'sqlite', path }, instance);
  await writeRecords(store, instance, key, [[auditRecord(), auditRecord()], [auditRecord()]]);
  return path;
}

/** Every text is a statement over a connection of its own. */
function attack(path: string, ...changes: readonly string[]): void {
  for (const sql of changes) {
    const db = new DatabaseSync(path, { defensive: false });
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  }
}

async function reading<T>(path: string, read: (reader: StoreReader) => Promise<T>): Promise<T> {
  const reader = await openReader({ type: 'sqlite', path });
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

/** What the verification says of each chain, and of none. */
function sentences(path: string): Promise<string[]> {
  return reading(path, async (reader) => {
    const keys = oneKey(key.publicKey);
    const { good, chains, findings } = await verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
    const all = [
      ...chains.flatMap(({ instance, findings: of }) =>
        of.map((finding) => `${instance}: ${describeFinding(finding)}`),
      ),
      ...findings.map(describeFinding),
    ];
    assert.equal(good, all.length === 0);
    return all;
  });
}

function shown(path: string): Promise<string[]> {
  return reading(path, async (reader) => {
    const { events } = await reader.page({ filter: {}, limit: 100 });
    return events.map((line) => JSON.parse(line)).map(({ instance, sequence }) => `${instance}/${sequence}`);
  });
}

const instanceRow = (number: number, name: string) =>
  `INSERT INTO audit_instances (instance, name, sequence, hash, frontier, checkpoint)
    VALUES (${number}, CAST(${name} AS TEXT), 0, NULL, x'', '');`;

/** Two records of another instance number. */
const forged = (number: number) =>
  `CREATE TEMP TABLE copy AS SELECT * FROM audit_records WHERE sequence <= 2;
   UPDATE copy SET position = position + 500, id = randomblob(16), hash = randomblob(32), instance = ${number};
   INSERT INTO audit_records SELECT * FROM copy;`;

const NAMES: Readonly<Record<string, { readonly row: string; readonly of: number; readonly found: RegExp }>> = {
  'records without an instance, whose number another row has for a name': {
    row: instanceRow(78, "'unnamed-77'"),
    of: 77,
    found: /^unnamed~77: records 1 to 2 were added/m,
  },
  'records without an instance, with a row named as such a chain is': {
    row: instanceRow(78, "'unnamed~77'"),
    of: 77,
    found: /^unnamed~77: records 1 to 2 were added[^]*^the store was changed: the instance 78 has a name that no/m,
  },
  'records of an instance whose name is no UTF-8': {
    row: instanceRow(78, "x'706f642d31ff'"),
    of: 78,
    found: /^unnamed~78: records 1 to 2 were added[^]*^the store was changed: the instance 78 has a name that no/m,
  },
  'records of an instance whose name has a NUL behind it, under a number below zero': {
    row: instanceRow(-78, "x'706f642d3100'"),
    of: -78,
    found: /^unnamed~-78: records 1 to 2 were added[^]*^the store was changed: the instance -78 has a name that no/m,
  },
};
for (const [what, { row, of, found }] of Object.entries(NAMES)) {
  test(`${what} are shown, and found`, async (t) => {
    const path = await written(t);
    assert.deepEqual(await sentences(path), []);
    attack(path, row + forged(of));
    assert.equal((await shown(path)).length, 5);
    assert.match((await sentences(path)).join('\n'), found);
  });
}

test('an empty chain that nobody signed is found, with nothing in it', async (t) => {
  const path = await written(t);
  attack(path, instanceRow(78, "'pod-2'"));
  assert.match((await sentences(path)).join('\n'), /^pod-2: the checkpoint of size 0 at the end of the chain was made/);
});

test('records that no name leads to are counted: one index gives a second row of the name to nobody', async (t) => {
  const path = await written(t);
  const exchange = `PRAGMA writable_schema = on;
    CREATE TEMP TABLE roots AS SELECT name, rootpage FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex_%';
    UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM roots WHERE name = 'sqlite_autoindex_other_1')
      WHERE name = 'sqlite_autoindex_audit_instances_1';
    UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM roots WHERE name = 'sqlite_autoindex_audit_instances_1')
      WHERE name = 'sqlite_autoindex_other_1'`;
  const back = exchange
    .replaceAll('other', 'x')
    .replaceAll('audit_instances', 'other')
    .replaceAll('_x_', '_audit_instances_');
  attack(path, 'CREATE TABLE other (name TEXT UNIQUE)', exchange, instanceRow(78, "'pod-1'") + forged(78), back);
  assert.deepEqual((await shown(path)).toSorted(), ['pod-1/1', 'pod-1/1', 'pod-1/2', 'pod-1/2', 'pod-1/3']);
  assert.match(
    (await sentences(path)).join('\n'),
    /^the store was changed: 5 records are shown .* and 3 are in chains$/m,
  );
});

test('an instance may be named as nameless chains once were', async (t) => {
  const path = await written(t, 'unnamed-77');
  assert.deepEqual(await sentences(path), []);
  assert.deepEqual(await shown(path), ['unnamed-77/3', 'unnamed-77/2', 'unnamed-77/1']);
});
