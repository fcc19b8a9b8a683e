import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { auditSetup } from '../support/audit-setup.ts';
import { auditRecord } from '../support/audit-records.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';

/** A path whose directory exists already. */
function preparedPath(t: TestContext): string {
  const path = sqliteStorePath(t);
  mkdirSync(dirname(path));
  return path;
}

function setupOf(path: string) {
  return auditSetup({ type: 'sqlite', path }, dirname(dirname(path)));
}

function run(path: string, sql: string): void {
  const db = new DatabaseSync(path, { defensive: false });
  db.exec(sql);
  db.close();
}

async function usedStore(path: string): Promise<void> {
  const log = await openAuditLog(setupOf(path));
  await log.record(auditRecord());
  await log.close();
}

/** What stands at the path, and why it is no store. */
const UNUSABLE: readonly [what: string, make: (path: string) => unknown, why: string | RegExp][] = [
  ['a directory', (path) => mkdirSync(path), 'it is not a file'],
  ['a text file', (path) => writeFileSync(path, 'not a database '.repeat(1_000)), 'file is not a database'],
  ['a few bytes', (path) => writeFileSync(path, 'secret'), 'file is not a database'],
  ['a link to no file', (path) => symlinkSync(`${path}.elsewhere`, path), 'it is a link to no file'],
  [
    'another program’s database',
    (path) => run(path, 'CREATE TABLE notes (a)'),
    'it is a SQLite database of another program',
  ],
  [
    'a database with another application_id',
    (path) => run(path, 'PRAGMA application_id = 1'),
    'it is a SQLite database of another program',
  ],
  [
    'a store of a newer version',
    async (path) => {
      await usedStore(path);
      run(path, 'PRAGMA user_version = 99');
    },
    /^its schema version is 99 and this program knows versions up to \d+: run the newer rds-token-vendor that wrote it$/,
  ],
  ...([1, 2] as const).map((version): (typeof UNUSABLE)[number] => [
    `a store of version ${version}, which was never released`,
    async (path) => {
      await usedStore(path);
      run(path, `PRAGMA user_version = ${version}`);
    },
    'it was written by a program that was never released: keep it elsewhere and begin a new one',
  ]),
  [
    'a store whose first page was overwritten',
    async (path) => {
      await usedStore(path);
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0xff, 0, 1_000));
    },
    'file is not a database',
  ],
  [
    'a store whose table was dropped',
    async (path) => {
      await usedStore(path);
      run(path, 'DROP TABLE audit_records');
    },
    'no such table: audit_records',
  ],
  [
    'a store with a trigger',
    async (path) => {
      await usedStore(path);
      run(path, 'CREATE TRIGGER t AFTER INSERT ON audit_records BEGIN DELETE FROM audit_records; END');
    },
    'the trigger t is not as the service makes it: records could be lost',
  ],
  [
    'a store with a trigger named as a table of statistics',
    async (path) => {
      await usedStore(path);
      run(
        path,
        `PRAGMA writable_schema = on;
         INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('trigger', 'sqlite_stat1', 'audit_records', 0,
           'CREATE TRIGGER sqlite_stat1 AFTER INSERT ON audit_records BEGIN DELETE FROM audit_records; END')`,
      );
    },
    'the trigger sqlite_stat1 is not as the service makes it: records could be lost',
  ],
  [
    'a store whose table was changed',
    async (path) => {
      await usedStore(path);
      run(path, 'ALTER TABLE audit_records ADD COLUMN note TEXT');
    },
    'the table audit_records is not as the service makes it: records could be lost',
  ],
];

for (const [what, make, why] of UNUSABLE) {
  test(`${what} at the path fails the opening, and is left as it is`, async (t) => {
    const path = preparedPath(t);
    await make(path);
    const before = contentOf(path);
    await assert.rejects(usedStore(path), (error) => {
      assert.ok(error instanceof Error);
      const start = `cannot open the audit store ${path}: `;
      assert.equal(error.message.slice(0, start.length), start);
      const rest = error.message.slice(start.length);
      if (typeof why === 'string') assert.equal(rest, why);
      else assert.match(rest, why);
      return true;
    });
    assert.deepEqual(contentOf(path), before);
  });
}

test('a path below a file fails the opening', async (t) => {
  const path = preparedPath(t);
  writeFileSync(path, '');
  await assert.rejects(
    openAuditLog(auditSetup({ type: 'sqlite', path: `${path}/audit.db` }, dirname(dirname(path)))),
    /^Error: cannot open the audit store /,
  );
});

test('a store that cannot be put into WAL mode fails the opening', async (t) => {
  const path = preparedPath(t);
  await usedStore(path);
  run(path, 'PRAGMA journal_mode = delete');
  const reader = new DatabaseSync(path);
  t.after(() => reader.close());
  // A reader of a rollback-journal database keeps its journal mode as it is.
  reader.exec('BEGIN; SELECT count(*) FROM audit_records');
  const message = `cannot open the audit store ${path}: database is locked`;
  await assert.rejects(usedStore(path), { message });
  reader.exec('ROLLBACK');
  await usedStore(path);
});

test('an empty file is taken as a new store', async (t) => {
  const path = preparedPath(t);
  writeFileSync(path, '');
  await usedStore(path);
});

test('a failed opening is told once to who watches for faults', async (t) => {
  const path = preparedPath(t);
  mkdirSync(path);
  const faults: string[] = [];
  await assert.rejects(openAuditLog(setupOf(path), { onFault: ({ message }) => faults.push(message) }));
  assert.deepEqual(faults, [`the audit store ${path} is unavailable: it is not a file`]);
});

/** The bytes of a file, or null where there is none to read. */
function contentOf(path: string): Buffer | null {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path) : null;
}
