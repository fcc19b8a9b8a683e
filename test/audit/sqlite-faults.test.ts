import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditLog } from '../../src/issuance/audit-record.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { auditSetup } from '../support/audit-setup.ts';
import { auditRecord } from '../support/audit-records.ts';
import { eventually } from '../support/eventually.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';

const UNAVAILABLE = { name: 'Fault', code: 'audit_unavailable' };

async function openStore(t: TestContext) {
  const path = sqliteStorePath(t);
  const faults: string[] = [];
  const starting = once(process, 'worker');
  const start = `the audit store ${path} is unavailable: `;
  const onFault = ({ message }: Error) => faults.push(message.replace(start, ''));
  const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, dirname(dirname(path))), { onFault });
  t.after(() => log.close());
  const worker: Worker = (await starting)[0];
  const failing = (why: string) => ({ ...UNAVAILABLE, message: `${start}${why}` });
  return { path, log, faults, worker, failing };
}

function lockStore(t: TestContext, path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  t.after(() => db.close());
  db.exec('BEGIN IMMEDIATE');
  return db;
}

test('a store that another program locks fails records and probes, then recovers by itself', async (t) => {
  const { path, log, faults, failing } = await openStore(t);
  await log.record(auditRecord());
  const other = lockStore(t, path);
  const locked = failing('database is locked');
  await Promise.all([assert.rejects(log.record(auditRecord()), locked), assert.rejects(log.probe(), locked)]);
  other.exec('ROLLBACK');
  await log.probe();
  await log.record(auditRecord());
  assert.deepEqual(
    readSqliteRecords(path).map(({ sequence }) => sequence),
    [1, 2],
  );
  assert.deepEqual(faults, ['database is locked']);
});

test('a lock that is let go in time fails nothing', async (t) => {
  const { path, log, faults } = await openStore(t);
  const other = lockStore(t, path);
  const recording = log.record(auditRecord());
  setTimeout(() => other.exec('ROLLBACK'), 20);
  await recording;
  assert.deepEqual(faults, []);
});

test('a store that gives no answer in time fails the record, and recovers', async (t) => {
  const { path, log, failing } = await openStore(t);
  const other = lockStore(t, path);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = assert.rejects(log.record(auditRecord()), failing('no answer in time'));
  t.mock.timers.tick(749);
  t.mock.timers.tick(1);
  await late;
  t.mock.timers.reset();
  other.exec('ROLLBACK');
  await eventually(() => log.record(auditRecord()));
});

test('a record whose caller has given up is not written late', async (t) => {
  const { path, log, worker } = await openStore(t);
  const answered = once(worker, 'message');
  worker.postMessage({ type: 'batch', id: -1, deadline: Date.now() - 1, rows: '[["never","bound"]]' });
  const [{ answers }] = await answered;
  assert.deepEqual(answers, [{ id: -1, failure: 'the record waited too long', refused: [] }]);
  await log.record(auditRecord());
  assert.equal(readSqliteRecords(path).length, 1);
});

test('while 10,000 records wait the next is refused at once, and the store recovers', async (t) => {
  const { path, log, failing } = await openStore(t);
  const other = lockStore(t, path);
  const waiting = Promise.allSettled(Array.from({ length: 10_000 }, () => log.record(auditRecord())));
  await assert.rejects(log.record(auditRecord()), failing('10000 records are waiting already'));
  await assert.rejects(log.probe(), failing('10000 records are waiting already'));
  other.exec('ROLLBACK');
  const settled = await waiting;
  await eventually(() => log.probe());
  const durable = settled.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(readSqliteRecords(path).length >= durable);
});

const TAKEN_AWAY: readonly [what: string, take: (path: string) => void, first: RegExp, then: string][] = [
  [
    'removed',
    (path) => rmSync(path),
    /removed, replaced or emptied while in use$/,
    'the file was removed while in use',
  ],
  [
    'removed with its directory',
    (path) => rmSync(dirname(path), { recursive: true }),
    /removed, replaced or emptied while in use$/,
    'the file was removed while in use',
  ],
  [
    'replaced by an empty one',
    (path) => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`);
      writeFileSync(path, '');
    },
    /removed, replaced or emptied while in use$/,
    'the file was emptied while in use',
  ],
];
for (const [what, take, first, then] of TAKEN_AWAY) {
  test(`a store whose file is ${what} while in use issues nothing more and makes no new one`, async (t) => {
    const { path, log, faults, failing } = await openStore(t);
    await log.record(auditRecord());
    take(path);
    await assert.rejects(log.record(auditRecord()), first);
    for (let i = 0; i < 3; i++) await assert.rejects(log.record(auditRecord()), failing(then));
    await assert.rejects(log.probe(), failing(then));
    assert.equal(faults.length, 1);
    const left = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((name) => name === 'audit.db') : [];
    assert.equal(left.length, existsSync(path) ? 1 : 0);
    assert.equal(existsSync(path), then.includes('emptied'));
  });
}

test('a store whose file is emptied in place issues nothing more', async (t) => {
  const { path, log } = await openStore(t);
  await log.record(auditRecord());
  truncateSync(path);
  truncateSync(`${path}-wal`);
  for (let i = 0; i < 3; i++) await assert.rejects(log.record(auditRecord()), UNAVAILABLE);
  await assert.rejects(log.probe(), UNAVAILABLE);
});

test('a store whose file is put back goes on where it was', async (t) => {
  const { path, log } = await openStore(t);
  await log.record(auditRecord());
  const files = ['', '-wal', '-shm'].map((suffix) => `${path}${suffix}`);
  for (const file of files) renameSync(file, `${file}.away`);
  await assert.rejects(log.record(auditRecord()), UNAVAILABLE);
  await assert.rejects(log.record(auditRecord()), UNAVAILABLE);
  for (const file of files) if (existsSync(`${file}.away`)) renameSync(`${file}.away`, file);
  await log.record(auditRecord());
  const stored = readSqliteRecords(path);
  assert.deepEqual(
    stored.map(({ sequence }) => sequence),
    stored.map((_, index) => index + 1),
  );
});

test('a thread that is stopped fails what it was given, is started again, and numbers on', async (t) => {
  const { path, log, worker, faults, failing } = await openStore(t);
  await log.record(auditRecord());
  const other = lockStore(t, path);
  const lost = assert.rejects(log.record(auditRecord()), failing('the audit thread ended'));
  // By the second turn the thread has the record, and waits for the lock.
  setImmediate(() => setImmediate(() => void worker.terminate()));
  await lost;
  other.exec('ROLLBACK');
  await assertRecovers(path, log);
  assert.equal(faults[0], 'the audit thread ended');
});

test('a thread that throws fails what it was given, is started again, and numbers on', async (t) => {
  const { path, log, worker, failing } = await openStore(t);
  await log.record(auditRecord());
  // Not a message at all, and taken together with the record: the thread throws, as it would on a defect of ours.
  setImmediate(() => worker.postMessage(null));
  await assert.rejects(log.record(auditRecord()), (error) => {
    const { message } = failing('the audit thread failed');
    assert.ok(error instanceof Fault);
    assert.deepEqual([error.code, error.message], ['audit_unavailable', message]);
    assert.ok(error.cause instanceof Error);
    return true;
  });
  await assertRecovers(path, log);
});

test('a thread that is started again makes no new store where the file is gone', async (t) => {
  const { path, log, worker, failing } = await openStore(t);
  await worker.terminate();
  rmSync(dirname(path), { recursive: true });
  await assert.rejects(log.record(auditRecord()), UNAVAILABLE);
  const gone = failing('the file was removed while in use');
  await eventually(() => assert.rejects(log.record(auditRecord()), gone));
  assert.equal(existsSync(dirname(path)), false);
});

async function assertRecovers(path: string, log: AuditLog): Promise<void> {
  await eventually(() => log.record(auditRecord()));
  const numbers = readSqliteRecords(path).map(({ sequence }) => sequence);
  assert.deepEqual(numbers, [1, 2]);
}
