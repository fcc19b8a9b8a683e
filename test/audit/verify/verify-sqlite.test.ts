import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { openAuditLog } from '../../../src/audit/audit-log.ts';
import type { AuditStore } from '../../../src/audit/audit-store.ts';
import { loadCheckpointPublicKey } from '../../../src/audit/chain/checkpoint-key.ts';
import { createStore, openReader } from '../../../src/audit/open-store.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { type StoreVerdict, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { auditSetup, testDirectory } from '../../support/audit-setup.ts';

const START = 1_790_000_000_000;

type Filled = { readonly path: string; readonly directory: string; readonly printed: string[] };

/** A store that was written as the service writes it: pod-1 has 230 records and was restarted, pod-2 has 40. */
async function filled(t: TestContext): Promise<Filled> {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const printed: string[] = [];
  let time = START;
  for (const [instance, records] of [
    ['pod-1', 150],
    ['pod-2', 40],
    ['pod-1', 80],
  ] as const) {
    const setup = auditSetup({ type: 'sqlite', path }, directory, { instance });
    const log = await openAuditLog(setup, {
      onCheckpoint: (note) => printed.push(JSON.stringify({ checkpoint: note })),
    });
    await Promise.all(
      Array.from({ length: records }, () => log.record(auditRecord({ time: (time += 10), claims: { a: 1 } }))),
    );
    await log.close();
  }
  // Everything is in the one file then, and can be copied.
  change(path, 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = delete');
  return { path, directory, printed };
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

async function verified({ path, directory, printed }: Filled, withPrinted = false): Promise<StoreVerdict> {
  const keys = oneKey(loadCheckpointPublicKey(join(directory, 'checkpoint-key.pem')));
  const logs = withPrinted ? [{ name: 'log', lines: linesOf(printed) }] : [];
  const checkpoints = await readPrintedCheckpoints(logs, keys);
  const reader = await openReader({ type: 'sqlite', path });
  try {
    return await verifyStore(reader, keys, checkpoints);
  } finally {
    await reader.close();
  }
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

function sentences({ chains }: StoreVerdict): string[] {
  return chains.flatMap(({ instance, findings }) =>
    findings.map((finding) => `${instance}: ${describeFinding(finding)}`),
  );
}

test('a SQLite store with two instances and a restart is good, and so it is when a range was retired', async (t) => {
  const store = await filled(t);
  const before = await verified(store, true);
  assert.deepEqual(sentences(before), []);
  assert.deepEqual(
    before.chains.map(({ instance, first, last }) => [instance, first, last]),
    [
      ['pod-1', 1, 230],
      ['pod-2', 1, 40],
    ],
  );
  const description: AuditStore = { type: 'sqlite', path: store.path };
  const writer = await createStore(description, 'pod-1');
  await writer.open(false);
  while (await writer.tidy(START + 1_800));
  await writer.close();
  const after = await verified(store, true);
  assert.deepEqual(sentences(after), []);
  const [retired] = after.chains;
  assert.ok((retired?.retired ?? 0) > 0, 'something was retired');
  assert.deepEqual([retired?.first, retired?.last], [(retired?.retired ?? 0) + 1, 230]);
});

test('a change of any column of a record of a SQLite store is found', async (t) => {
  const store = await filled(t);
  const untouched = join(store.directory, 'untouched.db');
  copyFileSync(store.path, untouched);
  const db = new DatabaseSync(untouched, { readOnly: true });
  const columns = db.prepare("SELECT name, type FROM pragma_table_info('audit_records')").all().map(Object.values);
  db.close();
  assert.ok(columns.length >= 33);
  for (const [name, type] of columns.map((column) => column.map(String))) {
    copyFileSync(untouched, store.path);
    const other = type === 'INTEGER' ? `coalesce(${name}, 0) + 1024000` : type === 'BLOB' ? `zeroblob(16)` : `'edited'`;
    change(store.path, `UPDATE audit_records SET ${name} = ${other} WHERE sequence = 123 AND instance = 1`);
    const found = sentences(await verified(store));
    assert.match(found[0] ?? '', /^pod-1: record 12[34]\b/, `${name}: ${found.join('\n')}`);
  }
});

test('changes of what is beside the records of a SQLite store are found', async (t) => {
  const store = await filled(t);
  const copy = join(store.directory, 'untouched.db');
  copyFileSync(store.path, copy);
  const cases: readonly (readonly [sql: string, found: RegExp])[] = [
    [
      `UPDATE audit_texts SET text = 'nobody' WHERE text LIKE 'system:%'`,
      /pod-1: record 1 \(.*\) is not what was written/,
    ],
    ['DELETE FROM audit_records WHERE instance = 1 AND sequence = 123', /pod-1: record 123 was removed/],
    ['DELETE FROM audit_records WHERE instance = 1 AND sequence > 220', /pod-1: records 221 to 230 were cut off/],
    ['DELETE FROM audit_records WHERE instance = POD_2', /pod-2: records 1 to 40 were cut off/],
    ['DELETE FROM audit_instances WHERE instance = POD_2', /the end of the chain is not on record/],
    [
      `UPDATE audit_instances SET name = 'pod-3' WHERE instance = POD_2`,
      /pod-3: record 1 \(.*\) is not what was written/,
    ],
    ['UPDATE audit_instances SET hash = zeroblob(32) WHERE instance = POD_2', /pod-2: the end of the chain on record/],
    [
      'UPDATE audit_instances SET sequence = 39 WHERE instance = POD_2',
      /pod-2: the checkpoint of size 39 at the end .* one of size 40/,
    ],
    [
      'UPDATE audit_checkpoints SET size = size - 1 WHERE instance = POD_2',
      /pod-2: the store's checkpoint of size \d+ was made/,
    ],
    [
      `UPDATE audit_records SET sequence = CASE sequence WHEN 7 THEN -8 ELSE -7 END WHERE instance = 1 AND sequence IN (7, 8);
       UPDATE audit_records SET sequence = -sequence WHERE instance = 1 AND sequence < 0`,
      /pod-1: record 7 \(.*\) is not what was written/,
    ],
  ];
  for (const [sql, found] of cases) {
    copyFileSync(copy, store.path);
    change(store.path, sql.replaceAll('POD_2', `(SELECT instance FROM audit_instances WHERE name = 'pod-2')`));
    const told = sentences(await verified(store));
    assert.ok(
      told.some((sentence) => found.test(sentence)),
      `${sql}\n${told.join('\n')}`,
    );
  }
});

test('a SQLite store that was taken back to an earlier state is good by itself; printed checkpoints show it', async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const printed: string[] = [];
  const onCheckpoint = (note: string) => printed.push(JSON.stringify({ checkpoint: note }));
  for (let round = 0; round < 2; round += 1) {
    const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, directory), { onCheckpoint });
    for (let i = 0; i < 10; i += 1) await log.record(auditRecord());
    await log.close();
    if (round === 0) copyFileSync(path, join(directory, 'earlier.db'));
  }
  copyFileSync(join(directory, 'earlier.db'), path);
  assert.deepEqual(sentences(await verified({ path, directory, printed })), []);
  assert.match(
    sentences(await verified({ path, directory, printed }, true)).join('\n'),
    /^pod-1: records 11 to 20 were cut off from the end: the checkpoint of size 20 in log:\d+ covers them$/,
  );
});
