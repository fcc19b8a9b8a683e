import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { eventually } from '../support/eventually.ts';
import {
  findingsIn,
  openPostgresTrail,
  type PostgresTrail,
  postgresReader,
  postgresTrail,
} from '../support/postgres-trail.ts';
import { type PostgresConfig, startPostgres } from '../support/postgres-server.ts';

/* What a record's caller waits for at most is a second (src/audit/audit-log.ts); the store gives up before. */

const server = await startPostgres();
after(() => server.remove());

const SESSIONS = `FROM pg_stat_activity WHERE application_name = 'rds-token-vendor audit' AND datname = current_database()`;

async function prepared(t: TestContext): Promise<{ trail: PostgresTrail; config: PostgresConfig; database: string }> {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  return { database, config, trail: await openPostgresTrail(t, config) };
}

async function within<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  assert.ok(performance.now() - start < milliseconds, `it took ${performance.now() - start} ms`);
  return result;
}

async function isThere(t: TestContext, config: PostgresConfig, ...records: readonly AuditRecord[]): Promise<boolean[]> {
  const reader = await postgresReader(t, config);
  return Promise.all(records.map(async ({ id }) => (await reader.get(id)) !== null));
}

test('a paused server: nothing hangs, and after it goes on so do the records, the given up one among them', async (t) => {
  const { trail, config } = await prepared(t);
  const [first, given, later] = [auditRecord(), auditRecord(), auditRecord()];
  await trail.add(first);
  server.pause();
  t.after(() => server.resume());
  assert.equal(await within(1_000, () => trail.write(given)), 'the server gave no answer within 700 ms');
  assert.equal(await within(1_000, () => trail.write(auditRecord())), 'the server gave no answer within 700 ms');
  server.resume();
  await eventually(() => trail.add(later), 5_000);
  // It was on its way, and may land before or after the head was read again.
  await eventually(async () => assert.deepEqual(await isThere(t, config, first, given, later), [true, true, true]));
  await trail.add(auditRecord());
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a paused server: closing does not hang, nor does reading', async (t) => {
  const { trail, config } = await prepared(t);
  await trail.add(auditRecord());
  const reader = await postgresReader(t, config);
  server.pause();
  t.after(() => server.resume());
  const reading = assert.rejects(reader.page({ filter: {}, limit: 1 }), /no answer within 6000 ms/);
  await within(1_500, () => trail.writer.close());
  await reading;
  await within(1_000, () => reader.close());
});

test('a stopped server refuses at once, and records go on when it is started', async (t) => {
  const { trail, config } = await prepared(t);
  await trail.add(auditRecord());
  await server.stop();
  try {
    for (let i = 0; i < 3; i++) assert.notEqual(await within(1_000, () => trail.write(auditRecord())), null);
  } finally {
    await server.start();
  }
  await within(1_000, () => trail.add(auditRecord()));
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a server that was restarted while nobody asked costs nobody an answer', async (t) => {
  const { trail } = await prepared(t);
  await trail.add(auditRecord());
  await server.restart();
  await trail.add(auditRecord());
});

test('a server that crashes again and again has each record that it said is written', async (t) => {
  const { trail, config } = await prepared(t);
  const durable: AuditRecord[] = [];
  for (let round = 0; round < 3; round++) {
    let crashed: Promise<void> | null = null;
    for (let i = 0; i < 200; i++) {
      const records = Array.from({ length: 20 }, () => auditRecord({ time: Date.now() }));
      if ((await trail.write(...records)) === null) durable.push(...records);
      else if (crashed !== null) break;
      if (i === 20 + round * 13) crashed = pause(round * 3).then(() => server.crash());
    }
    await crashed;
    await server.start();
    await eventually(() => trail.add(auditRecord()));
  }
  assert.ok(durable.length > 1_000);
  const rows = await server.query(config.database, 'SELECT id FROM rtv_audit.records');
  const there = new Set(rows.map(({ id }) => id));
  assert.deepEqual(
    durable.filter(({ id }) => !there.has(id)),
    [],
  );
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a table that somebody locks: refused in time, in one session, and well when it is free', async (t) => {
  const { trail, database } = await prepared(t);
  await trail.add(auditRecord());
  const [before] = await server.query(database, `SELECT pid ${SESSIONS}`);
  const locker = new pg.Client({ host: server.socketDirectory, port: server.port, user: 'postgres', database });
  await locker.connect();
  await locker.query('BEGIN; LOCK TABLE rtv_audit.heads IN ACCESS EXCLUSIVE MODE');
  for (let i = 0; i < 4; i++) {
    assert.match((await within(1_000, () => trail.write(auditRecord()))) ?? '', /canceling statement due to/);
  }
  await locker.end();
  await trail.add(auditRecord());
  assert.deepEqual(await server.query(database, `SELECT pid ${SESSIONS}`), [before]);
});

test('a commit that an administrator let go before its replica had it is no durable one', async (t) => {
  const { trail, database } = await prepared(t);
  await trail.add(auditRecord());
  t.after(() => server.query(database, 'ALTER SYSTEM RESET synchronous_standby_names').then(() => server.restart()));
  await server.query(database, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
  await server.query(database, 'SELECT pg_reload_conf()');
  await pause(100);
  const written = trail.write(auditRecord());
  await eventually(async () => {
    const canceled = await server.query(
      database,
      `SELECT pg_cancel_backend(pid) ${SESSIONS} AND wait_event = 'SyncRep'`,
    );
    assert.equal(canceled.length, 1);
  }, 600);
  assert.match((await written) ?? '', /^the server warned: canceling wait for synchronous replication/);
});

test('a commit whose replica is away is given up, and lands once the replica is not asked for', async (t) => {
  const { trail, config, database } = await prepared(t);
  const [given, next] = [auditRecord(), auditRecord()];
  await trail.add(auditRecord());
  t.after(() => server.query(database, 'ALTER SYSTEM RESET synchronous_standby_names').then(() => server.restart()));
  await server.query(database, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
  await server.query(database, 'SELECT pg_reload_conf()');
  await pause(100);
  assert.equal(await within(1_000, () => trail.write(given)), 'the server gave no answer within 700 ms');
  for (let i = 0; i < 3; i++) assert.notEqual(await within(1_500, () => trail.write(auditRecord())), null);
  await server.query(database, `ALTER SYSTEM RESET synchronous_standby_names`);
  await server.query(database, 'SELECT pg_reload_conf()');
  await eventually(() => trail.add(next));
  assert.deepEqual(await isThere(t, config, given, next), [true, true]);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('two processes of one name: each finds the other one’s records before its own', async (t) => {
  const { trail, config } = await prepared(t);
  const other = postgresTrail(t, config);
  await other.writer.open(true);
  const failures: (string | null)[] = [];
  for (let i = 0; i < 20; i++) {
    failures.push(...(await Promise.all([trail, other].map(({ write }) => write(auditRecord(), auditRecord())))));
  }
  // Only who loses twice in a row is refused.
  const written = failures.filter((failure) => failure === null).length;
  assert.deepEqual(new Set(failures.filter((failure) => failure !== null)).size <= 1, true);
  const [chain] = await (await postgresReader(t, config)).chains();
  assert.equal(chain?.head?.sequence, written * 2);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a record that the server cannot take fails alone with its commit, and the next one is taken', async (t) => {
  const { trail, config } = await prepared(t);
  const record = auditRecord();
  await trail.add(record);
  // Another process: the writer itself would not even ask.
  const other = postgresTrail(t, config, { instance: 'pod-2' });
  await other.writer.open(true);
  assert.match((await other.write(record)) ?? '', /duplicate key/);
  await other.add(auditRecord());
});
