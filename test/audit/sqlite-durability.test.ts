import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { openConnection } from '../../src/audit/sqlite/connection.ts';
import { auditSetup } from '../support/audit-setup.ts';
import { auditRecord } from '../support/audit-records.ts';
import { runAuditWriter } from '../support/run-audit-writer.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';

function setupOf(path: string) {
  return auditSetup({ type: 'sqlite', path }, dirname(dirname(path)));
}

async function openStore(t: TestContext, path: string) {
  const log = await openAuditLog(setupOf(path));
  t.after(() => log.close());
  return log;
}

test('an open store syncs at every commit: journal_mode wal and synchronous 2', (t) => {
  const { db } = openConnection(sqliteStorePath(t), true);
  t.after(() => db.close());
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.deepEqual([pragma('journal_mode'), pragma('synchronous')], ['wal', 2]);
});

test('a store in another journal mode is put into wal', async (t) => {
  const path = sqliteStorePath(t);
  const first = await openAuditLog(setupOf(path));
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

test('the store has these columns and none for a JWT, a token, a secret or whole claims', async (t) => {
  const path = sqliteStorePath(t);
  await openStore(t, path);
  const db = new DatabaseSync(path, { readOnly: true });
  t.after(() => db.close());
  const names = (sql: string, ...values: string[]) =>
    db
      .prepare(sql)
      .all(...values)
      .map(({ name }) => name);
  assert.deepEqual(names("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'audit%' ORDER BY name"), [
    ...['audit_checkpoints', 'audit_instances', 'audit_probe', 'audit_records', 'audit_texts'],
  ]);
  assert.deepEqual(names('SELECT name FROM pragma_table_info(?) ORDER BY name', 'audit_records'), [
    ...['access_key_id', 'action', 'claims', 'client', 'client_address', 'config_hash', 'database', 'database_user'],
    ...[
      'detail',
      'endpoint',
      'grant_name',
      'hash',
      'host',
      'id',
      'instance',
      'issuer',
      'jti_hash',
      'observed',
      'outcome',
      'port',
    ],
    ...['position', 'reason', 'region', 'repeated', 'request_id', 'resource_arn', 'role_arn', 'sequence', 'subject'],
    ...['token_expires_at', 'token_fingerprint', 'trace_id', 'user_agent', 'version'],
  ]);
});

test('the view audit_events shows records to people with sqlite3', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const record = auditRecord({ outcome: 'refused', reason: 'not_granted' });
  await log.record(record);
  const db = new DatabaseSync(path, { readOnly: true });
  t.after(() => db.close());
  const [row] = db
    .prepare('SELECT id, time, instance, sequence, outcome, reason, subject, port FROM audit_events')
    .all();
  assert.deepEqual(
    { ...row },
    {
      id: record.id,
      time: new Date(record.time).toISOString(),
      instance: 'pod-1',
      sequence: 1,
      outcome: 'refused',
      reason: 'not_granted',
      subject: record.subject,
      port: 5432,
    },
  );
});

test('the view audit_events has NULL where a record has nothing, and times as everybody reads them', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const nothing = { tokenFingerprint: null, tokenExpiresAt: null, jtiHash: null, traceId: null };
  await log.record(auditRecord(nothing));
  await log.record(auditRecord({ tokenExpiresAt: 1_795_576_401_005, jtiHash: 'ab'.repeat(32) }));
  const db = new DatabaseSync(path, { readOnly: true });
  t.after(() => db.close());
  const rows = db.prepare('SELECT token_expires_at AS e, jti_hash AS j FROM audit_events ORDER BY sequence').all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { e: null, j: null },
      { e: '2026-11-25T03:13:21.005Z', j: 'ab'.repeat(32) },
    ],
  );
  const [unset] = db.prepare('SELECT count(*) AS n FROM audit_events WHERE token_fingerprint IS NULL').all();
  assert.equal(unset?.['n'], 1);
});

test('what a record holds beyond its fields reaches no file', async (t) => {
  const path = sqliteStorePath(t);
  const log = await openStore(t, path);
  const extra = {
    token: 'SENTINEL-1',
    jwt: 'SENTINEL-2',
    claimSet: { a: 'SENTINEL-3' },
    __proto__: { jti: 'SENTINEL-4' },
  };
  await log.record({ ...auditRecord({ subject: 'KEPT' }), ...extra });
  const bytes = readdirSync(dirname(path)).map((name) => readFileSync(join(dirname(path), name), 'latin1'));
  assert.ok(bytes.some((text) => text.includes('KEPT')));
  assert.ok(!bytes.some((text) => text.includes('SENTINEL')));
});

test('a full disk fails records, loses none that was reported durable, and with room the store goes on', async (t) => {
  const path = sqliteStorePath(t);
  const store = { type: 'sqlite', path } as const;
  const full = await runAuditWriter(store, { directory: dirname(dirname(path)), fileLimit: 2_048 });
  assert.equal(full.stderr, '');
  assert.ok(full.durable.length > 100);
  assert.ok(full.faults.length > 0);
  assert.deepEqual(new Set(full.faults), new Set(['audit_unavailable']));
  const log = await openStore(t, path);
  await log.record(auditRecord());
  const stored = readSqliteRecords(path);
  const ids = new Set(stored.map(({ id }) => id));
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
    readSqliteRecords(path).map(({ id }) => id),
    records.map(({ id }) => id),
  );
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
