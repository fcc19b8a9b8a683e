import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import pg from 'pg';
import { connect } from '../../src/audit/postgres/connection.ts';
import { LOCK_CLASS, LOCKS } from '../../src/audit/postgres/schema.ts';
import type { Store } from '../../src/audit/store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { day, dayName, daysThere, makeDays } from '../support/postgres-days.ts';
import { findingsIn, openPostgresTrail, type PostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { type PostgresConfig, startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

const HOUR = 3_600_000;
/** Records of each day, one commit. */
const EACH_DAY = 30;

type Prepared = { readonly database: string; readonly config: PostgresConfig; readonly trail: PostgresTrail };

/** One commit of `EACH_DAY` records on each of the last ten days, and none today. Each checkpoint is kept. */
async function fillDays(trail: PostgresTrail, clock: { now: number }, instance = 'pod-1'): Promise<void> {
  for (let ago = -10; ago < 0; ago++) {
    clock.now = day(ago) + 12 * HOUR;
    const records = Array.from({ length: EACH_DAY }, (_, i) => auditRecord({ time: clock.now + i, subject: instance }));
    await trail.add(...records);
  }
}

async function prepared(t: TestContext): Promise<Prepared> {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const clock = { now: 0 };
  const trail = await openPostgresTrail(t, config, { now: () => clock.now });
  await makeDays(config, [day(-9), day(-6), day(-3)]);
  await fillDays(trail, clock);
  return { database, config, trail };
}

/** Until nothing is left to do; how many slices had more after them. */
async function retire(store: Store, before: number): Promise<number> {
  for (let slices = 0; ; slices++) {
    if (!(await store.tidy(before))) return slices;
    assert.ok(slices < 1_000);
  }
}

async function sequences(database: string): Promise<string[]> {
  const rows = await server.query(
    database,
    `SELECT instance || ':' || min(sequence) || '-' || max(sequence) || '/' || count(*) AS range
      FROM rtv_audit.records GROUP BY instance ORDER BY instance`,
  );
  return rows.map(({ range }) => String(range));
}

test('records before the time go up to a kept checkpoint, with their partitions, and the rest verifies', async (t) => {
  const { database, config, trail } = await prepared(t);
  await retire(trail.store, day(-4) + HOUR);
  assert.deepEqual(await sequences(database), ['pod-1:181-300/120']);
  const days = await daysThere(server, database);
  assert.deepEqual(
    days,
    [-4, -3, -2, -1, 0, 1, 2].map((from) => dayName(day(from))),
  );
  const reader = await postgresReader(t, config);
  const [chain] = await reader.chains();
  assert.deepEqual([chain?.anchor?.sequence, chain?.head?.sequence], [180, 300]);
  assert.deepEqual(
    (await reader.checkpoints('pod-1', 0, 100)).map(({ size }) => size),
    [180, 210, 240, 270, 300],
  );
  assert.deepEqual(await findingsIn(reader), []);
  await trail.add(auditRecord({ time: Date.now() }));
  assert.deepEqual(await findingsIn(reader), []);
});

test('what was removed is all that could be: no record before the time is left behind a kept checkpoint', async (t) => {
  const { database, trail } = await prepared(t);
  // In the middle of a commit: its records stay, for no checkpoint is between them.
  await retire(trail.store, day(-4) + 12 * HOUR + EACH_DAY / 2);
  assert.deepEqual(await sequences(database), ['pod-1:181-300/120']);
  await retire(trail.store, day(-4) + 12 * HOUR + EACH_DAY);
  assert.deepEqual(await sequences(database), ['pod-1:211-300/90']);
});

test('without a retention nothing goes', async (t) => {
  const { database, trail } = await prepared(t);
  assert.equal(await trail.store.tidy(null), false);
  assert.deepEqual(await sequences(database), ['pod-1:1-300/300']);
});

test('chains of instances that are gone are retired to their end, and go on when one comes back', async (t) => {
  const { database, config, trail } = await prepared(t);
  const clock = { now: 0 };
  const gone = await openPostgresTrail(t, config, { instance: 'pod-2', now: () => clock.now });
  await fillDays(gone, clock, 'pod-2');
  // Its last records have no kept checkpoint: it was killed.
  await gone.add(auditRecord({ time: clock.now + 100 }));
  await gone.store.close();
  await retire(trail.store, day(0));
  assert.deepEqual(await sequences(database), []);
  assert.deepEqual(
    await daysThere(server, database),
    [0, 1, 2].map((from) => dayName(day(from))),
  );
  const reader = await postgresReader(t, config);
  const chains = (await reader.chains()).map(({ instance, anchor, head }) => [
    instance,
    anchor?.sequence,
    head?.sequence,
  ]);
  assert.deepEqual(chains, [
    ['pod-1', 300, 300],
    ['pod-2', 301, 301],
  ]);
  assert.deepEqual(await findingsIn(reader), []);
  const back = await openPostgresTrail(t, config, { instance: 'pod-2' });
  await back.add(auditRecord({ time: Date.now() }));
  assert.deepEqual(await sequences(database), ['pod-2:302-302/1']);
  assert.deepEqual(await findingsIn(reader), []);
  await retire(trail.store, day(1));
  assert.deepEqual(await sequences(database), []);
  assert.deepEqual(await findingsIn(reader), []);
});

test('records of a wrong clock go too, from the default partition', async (t) => {
  const { database, config } = await prepared(t);
  const clock = { now: 1_000_000_000_000 };
  const trail = await openPostgresTrail(t, config, { instance: 'pod-3', now: () => clock.now });
  await trail.add(auditRecord({ time: 1_000_000_000_000 }), auditRecord({ time: 1_000_000_000_001 }));
  clock.now = Date.now();
  await trail.add(auditRecord({ time: clock.now }));
  await retire(trail.store, day(-20));
  assert.deepEqual(await sequences(database), ['pod-1:1-300/300', 'pod-3:3-3/1']);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a record younger than those behind it holds them back', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const clock = { now: 0 };
  const trail = await openPostgresTrail(t, config, { now: () => clock.now });
  for (const [index, time] of [day(-9), day(-1), day(-9)].entries()) {
    clock.now = (index + 1) * 10_000;
    await trail.add(auditRecord({ time }));
  }
  await retire(trail.store, day(-5));
  assert.deepEqual(await sequences(database), ['pod-1:2-3/2']);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('many records go in slices, between which others are written', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const trail = await openPostgresTrail(t, config);
  await makeDays(config, [day(-9)]);
  const old = () => Array.from({ length: 1_000 }, (_, i) => auditRecord({ time: day(-9) + i }));
  for (let i = 0; i < 12; i++) await trail.add(...old());
  let slices = 0;
  for (; await trail.store.tidy(day(-5)); slices++) await trail.add(auditRecord({ time: Date.now() }));
  assert.ok(slices >= 1);
  assert.deepEqual(await sequences(database), [`pod-1:12001-${12_000 + slices}/${slices}`]);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

describe('what interrupts it does no harm:', () => {
  test('records that cannot be deleted keep their anchor where it was', async (t) => {
    const { database, config, trail } = await prepared(t);
    await server.query(
      database,
      `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
       CREATE TRIGGER refuse BEFORE DELETE ON rtv_audit.records FOR EACH ROW WHEN (OLD.sequence = 100) EXECUTE FUNCTION public.refuse()`,
    );
    await assert.rejects(retire(trail.store, day(-4)), /not this one/);
    const reader = await postgresReader(t, config);
    assert.deepEqual(await findingsIn(reader), []);
    await trail.add(auditRecord({ time: Date.now() }));
    await server.query(database, 'DROP TRIGGER refuse ON rtv_audit.records');
    await retire(trail.store, day(-4));
    assert.deepEqual(await sequences(database), ['pod-1:181-301/121']);
    assert.deepEqual(await findingsIn(reader), []);
  });

  test('a server that crashes in the middle', async (t) => {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    const trail = await openPostgresTrail(t, config);
    await makeDays(config, [day(-9)]);
    for (let i = 0; i < 8; i++) {
      await trail.add(...Array.from({ length: 1_000 }, (_, at) => auditRecord({ time: day(-9) + at })));
    }
    const crashing = trail.store.tidy(day(-5));
    await Promise.all([crashing.catch(() => undefined), server.crash()]);
    await server.start();
    const reader = await postgresReader(t, config);
    assert.deepEqual(await findingsIn(reader), []);
    await trail.add(auditRecord({ time: Date.now() }));
    await retire(trail.store, day(-5));
    assert.deepEqual(await sequences(database), ['pod-1:8001-8001/1']);
    assert.deepEqual(await findingsIn(reader), []);
  });

  test('two replicas at the same time', async (t) => {
    const { database, config, trail } = await prepared(t);
    const other = await openPostgresTrail(t, config, { instance: 'pod-2' });
    await Promise.all([trail, other].map(({ store }) => retire(store, day(-4))));
    await retire(other.store, day(-4));
    assert.deepEqual(await sequences(database), ['pod-1:181-300/120']);
    assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
  });

  test('a replica that hangs with the lock holds up no other one’s records', async (t) => {
    const { database, config, trail } = await prepared(t);
    const { query, close } = await connect(config, { connectTimeout: 5_000, queryTimeout: 5_000 });
    t.after(close);
    await query({ text: `SELECT pg_advisory_lock(${LOCK_CLASS}, ${LOCKS.retire})` });
    assert.equal(await trail.store.tidy(day(-4)), false);
    await trail.add(auditRecord({ time: Date.now() }));
    assert.deepEqual(await sequences(database), ['pod-1:1-301/301']);
  });

  test('a partition that somebody reads is dropped later', async (t) => {
    const { database, trail } = await prepared(t);
    const client = new pg.Client({ host: server.socketDirectory, port: server.port, user: 'postgres', database });
    client.on('error', () => undefined);
    await client.connect();
    t.after(() => client.end());
    await client.query('BEGIN; SELECT count(*) FROM rtv_audit.records');
    await retire(trail.store, day(-4));
    assert.equal((await daysThere(server, database)).length, 13);
    await trail.add(auditRecord({ time: Date.now() }));
    await client.query('ROLLBACK');
    await retire(trail.store, day(-4));
    assert.equal((await daysThere(server, database)).length, 7);
  });
});

describe('records that are not what was signed stay, so that it can be seen:', () => {
  test('a hash was edited', async (t) => {
    const { database, config, trail } = await prepared(t);
    await server.query(database, `UPDATE rtv_audit.records SET hash = sha256('x') WHERE sequence = 100`);
    await assert.rejects(retire(trail.store, day(-4)), /records of pod-1 up to \d+ are not those of its checkpoint/);
    await trail.add(auditRecord({ time: Date.now() }));
    assert.notDeepEqual(await findingsIn(await postgresReader(t, config)), []);
  });

  test('a record is missing', async (t) => {
    const { database, config, trail } = await prepared(t);
    await server.query(database, 'DELETE FROM rtv_audit.records WHERE sequence = 100');
    await retire(trail.store, day(-4));
    assert.deepEqual(await sequences(database), ['pod-1:91-300/209']);
    const findings = await findingsIn(await postgresReader(t, config));
    assert.match(findings.join('\n'), /record 100/);
  });
});
