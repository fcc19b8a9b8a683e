import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { openAuditReader } from '../../src/audit/open-audit-reader.ts';
import { type AuditQuery, UnknownCursor } from '../../src/issuance/audit-query.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';
import { eventually } from '../support/eventually.ts';

const ALL: AuditQuery = { filter: {}, limit: 100 };
const FAULTY = new URL('../support/faulty-reader-worker.ts', import.meta.url);

/** A reader of a thread that fails as it is told to, and how often the thread was started. */
function faultyReader(t: TestContext, timeout = 10_000) {
  const started: Worker[] = [];
  const startWorker = () => {
    const worker = new Worker(FAULTY);
    started.push(worker);
    return worker;
  };
  const reader = openAuditReader({ type: 'sqlite', path: 'unused' }, { timeout, startWorker });
  t.after(() => reader.close());
  return { reader, started };
}

/** A SQLite store with one record, and a reader of it. */
async function sqliteReader(t: TestContext) {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const store: AuditStore = { type: 'sqlite', path };
  const log = await openAuditLog(auditSetup(store, directory));
  const id = await log.record(auditRecord());
  await log.close();
  const reader = openAuditReader(store);
  t.after(() => reader.close());
  return { reader, path, id };
}

function unreadable(reason: string | RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault && error.code === 'audit_unavailable', String(error));
    assert.match(error.message, /^the audit store cannot be read: /);
    assert.match(error.message, new RegExp(reason));
    return true;
  };
}

test('a reader starts no thread before it is asked, and one for all questions', async (t) => {
  const { reader, started } = faultyReader(t);
  assert.equal(started.length, 0);
  const answers = await Promise.all(['a', 'b', 'c'].map((id) => reader.get(id)));
  assert.deepEqual(answers, ['a', 'b', 'c']);
  assert.equal(started.length, 1);
});

test('a reader that was never asked closes at once', async (t) => {
  const { reader, started } = faultyReader(t);
  await reader.close();
  assert.equal(started.length, 0);
  await assert.rejects(reader.get('a'), unreadable('it is closed'));
});

for (const [how, cause] of [
  ['die', 'the reading thread ended'],
  ['throw', 'the reading thread failed'],
] as const) {
  test(`when the thread is told to ${how}, everybody who waits hears it, and a later question starts another`, async (t) => {
    const { reader, started } = faultyReader(t);
    const waiting = ['keep silent', how, 'after it'].map((id) => reader.get(id));
    for (const question of waiting) await assert.rejects(question, unreadable(cause));
    await assert.rejects(reader.get('at once'), unreadable('its thread is not there again yet'));
    assert.equal(started.length, 1);
    assert.equal(await eventually(() => reader.get('later')), 'later');
    assert.equal(started.length, 2);
  });
}

test('a question without an answer fails after the timeout, and a thread that answers others goes on', async (t) => {
  const { reader, started } = faultyReader(t, 1_200);
  // Its start takes its time, and is no part of what is tested.
  await eventually(() => reader.get('first'));
  const before = started.length;
  const silent = assert.rejects(reader.get('keep silent'), unreadable('no answer in time'));
  await pause(200);
  assert.equal(await reader.get('a'), 'a');
  await silent;
  assert.equal(await reader.get('b'), 'b');
  assert.equal(started.length, before);
});

test('a thread that answers nobody is stopped, those behind fail with it, and another one answers', async (t) => {
  const { reader, started } = faultyReader(t, 1_200);
  await eventually(() => reader.get('first'));
  const before = started.length;
  const hanging = assert.rejects(reader.get('hang'), unreadable('no answer in time'));
  await pause(200);
  const behind = assert.rejects(reader.get('behind'), unreadable('the reading thread was stuck'));
  await Promise.all([hanging, behind]);
  assert.equal(await eventually(() => reader.get('a')), 'a');
  assert.equal(started.length, before + 1);
});

test('at most sixteen questions wait; one more is refused at once', async (t) => {
  const { reader } = faultyReader(t, 2_000);
  const waiting = Array.from({ length: 16 }, () => reader.get('keep silent'));
  await assert.rejects(reader.get('a'), unreadable('16 questions are waiting already'));
  const outcomes = await Promise.allSettled(waiting);
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']));
  assert.equal(await eventually(() => reader.get('a')), 'a');
});

test('closing waits for the answers under way', async (t) => {
  const { reader } = faultyReader(t);
  const asking = reader.get('a');
  await reader.close();
  assert.equal(await asking, 'a');
});

test('a SQLite store is read in a thread: pages, one record, none, and a cursor of somebody else', async (t) => {
  const { reader, id } = await sqliteReader(t);
  const page = await reader.page(ALL);
  assert.equal(page.next, null);
  assert.deepEqual(page.events, [await reader.get(id)]);
  assert.equal(JSON.parse(page.events[0] ?? '').id, id);
  assert.equal(await reader.get('00000000-0000-7000-8000-000000000000'), null);
  await assert.rejects(reader.page({ ...ALL, cursor: 'of somebody else' }), UnknownCursor);
});

test('a store that is not there fails each question, and is read once it is', async (t) => {
  const { reader, path } = await sqliteReader(t);
  renameSync(path, `${path}.away`);
  await assert.rejects(reader.page(ALL), unreadable('there is no audit store'));
  await assert.rejects(reader.get('x'), unreadable('there is no audit store'));
  renameSync(`${path}.away`, path);
  assert.equal((await reader.page(ALL)).events.length, 1);
});

test('a store that is no store says what is wrong with it', async (t) => {
  const path = join(testDirectory(t), 'audit.db');
  writeFileSync(path, 'not a database at all, and long enough to be taken for one'.repeat(20));
  const reader = openAuditReader({ type: 'sqlite', path });
  t.after(() => reader.close());
  await assert.rejects(reader.page(ALL), unreadable('not a database'));
});

test('a store that fails while it is open is opened again', async (t) => {
  const { reader, path } = await sqliteReader(t);
  assert.equal((await reader.page(ALL)).events.length, 1);
  // Another program takes the records away under the reader.
  const other = new DatabaseSync(path);
  other.exec('ALTER TABLE audit_records RENAME TO elsewhere');
  await assert.rejects(reader.page(ALL), unreadable('audit_records|schema'));
  other.exec('ALTER TABLE elsewhere RENAME TO audit_records');
  other.close();
  assert.equal((await reader.page(ALL)).events.length, 1);
});
