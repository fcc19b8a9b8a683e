import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteAuditLog } from '../../src/audit/sqlite-audit-log.ts';
import { openConnection } from '../../src/audit/sqlite-connection.ts';
import { auditRecord } from '../support/audit-records.ts';
import { runAuditWriter } from '../support/run-audit-writer.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';

async function openStore(t: TestContext, path: string) {
  const log = await openSqliteAuditLog(path, { name: 'pod-1' });
  t.after(() => log.close());
  return log;
}

test('an open store syncs at every commit: journal_mode wal and synchronous 2', (t) => {
  const { db } = openConnection({ path: sqliteStorePath(t), instance: 'pod-1', create: true });
  t.after(() => db.close());
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.deepEqual([pragma('journal_mode'), pragma('synchronous')], ['wal', 2]);
});

test('a store in another journal mode is put into wal', async (t) => {
  const path = sqliteStorePath(t);
  const first = await openSqliteAuditLog(path, { name: 'pod-1' });
  await first.close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = delete');
  db.close();
  await openStore(t, path);
  const other = new DatabaseSync(path, { readOnly: true });
  t.after(() => other.close());
  assert.equal(other.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
});

test('a new store’s files are mode 0600 in a directory of mode 0700, whatever the umask', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const path = sqliteStorePath(t);
  const log = await openStore(t, join(dirname(path), 'deep', 'audit.db'));
  await log.record(auditRecord());
  const directory = join(dirname(path), 'deep');
  assert.deepEqual([modeOf(dirname(path)), modeOf(directory)], [0o700, 0o700]);
  const modes = readdirSync(directory).map((name) => [name, modeOf(join(directory, name))]);
  const expected = { 'audit.db': 0o600, 'audit.db-shm': 0o600, 'audit.db-wal': 0o600 };
  assert.deepEqual(Object.fromEntries(modes), expected);
});

test('the modes of an existing file and directory are the operator’s and stay', async (t) => {
  const path = sqliteStorePath(t);
  mkdirSync(dirname(path));
  chmodSync(dirname(path), 0o750);
  writeFileSync(path, '');
  chmodSync(path, 0o640);
  const log = await openStore(t, path);
  await log.record(auditRecord());
  assert.deepEqual([modeOf(dirname(path)), modeOf(path), modeOf(`${path}-wal`)], [0o750, 0o640, 0o640]);
});

test('the store has these columns and none for a JWT, a token, a secret or claims', async (t) => {
  const path = sqliteStorePath(t);
  await openStore(t, path);
  const db = new DatabaseSync(path, { readOnly: true });
  t.after(() => db.close());
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  assert.deepEqual(
    tables.map(({ name }) => name),
    ['audit_probe', 'audit_records'],
  );
  const columns = db.prepare('SELECT name FROM pragma_table_info(?) ORDER BY name').all('audit_records');
  const names = columns.map(({ name }) => name);
  assert.deepEqual(names, [
    ...['access_key_id', 'action', 'client', 'client_address', 'config_hash', 'database', 'database_user', 'detail'],
    ...[
      'endpoint',
      'grant_name',
      'host',
      'id',
      'instance',
      'issuer',
      'jti_hash',
      'outcome',
      'port',
      'reason',
      'region',
    ],
    ...['request_id', 'resource_arn', 'sequence', 'subject', 'time', 'token_expires_at', 'token_fingerprint'],
    ...['user_agent', 'version'],
  ]);
});

test('what a record holds beyond its fields reaches no file', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const extra = {
    token: 'SENTINEL-1',
    jwt: 'SENTINEL-2',
    claims: { a: 'SENTINEL-3' },
    __proto__: { jti: 'SENTINEL-4' },
  };
  await log.record({ ...auditRecord({ subject: 'KEPT' }), ...extra });
  const bytes = readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name), 'latin1'));
  assert.ok(bytes.some((text) => text.includes('KEPT')));
  assert.ok(!bytes.some((text) => text.includes('SENTINEL')));
});

test('a record of a type that the store cannot keep is refused, and those that came with it are kept', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const wrong = [{ time: 1.5 }, { port: 'x' }, { subject: {} }].map((values) => Object.assign(auditRecord(), values));
  const records = [auditRecord(), ...wrong, auditRecord()];
  const results = await Promise.allSettled(records.map((record) => log.record(record)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
  );
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'audit_unavailable');
  assert.deepEqual(
    readSqliteRecords(path).map(({ record, sequence }) => [record.id, sequence]),
    [
      [records[0]?.id, 1],
      [records[4]?.id, 2],
    ],
  );
});

test('a full disk fails records, loses none that was reported durable, and with room the store goes on', async (t) => {
  const path = sqliteStorePath(t);
  const store = { type: 'sqlite', path } as const;
  const full = await runAuditWriter(store, { instance: 'pod-1', fileLimit: 2_048 });
  assert.equal(full.stderr, '');
  assert.ok(full.durable.length > 100);
  assert.ok(full.faults.length > 0);
  assert.deepEqual(new Set(full.faults), new Set(['audit_unavailable']));
  const log = await openStore(t, path);
  await log.record(auditRecord());
  const stored = readSqliteRecords(path);
  const ids = new Set(stored.map(({ record }) => record.id));
  assert.deepEqual(
    full.durable.filter((id) => !ids.has(id)),
    [],
  );
  assert.deepEqual(
    stored.map(({ sequence }) => sequence),
    stored.map((_, index) => index + 1),
  );
});

test('closing writes what is under way and leaves the database without a log of its own', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const records = Array.from({ length: 500 }, () => auditRecord());
  const recording = Promise.all(records.map((record) => log.record(record)));
  await Promise.all([log.close(), recording]);
  assert.deepEqual(readdirSync(dirname(path)), ['audit.db']);
  assert.deepEqual(
    readSqliteRecords(path).map(({ record }) => record.id),
    records.map(({ id }) => id),
  );
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
