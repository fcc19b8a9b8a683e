import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import pg from 'pg';
import { connect } from '../../src/audit/postgres/connection.ts';
import { LOCK_CLASS, LOCKS } from '../../src/audit/postgres/schema.ts';
import { auditRecord } from '../support/audit-records.ts';
import { day, daysThere, makeDays } from '../support/postgres-days.ts';
import { fillDays, retire, sequences, tenDays } from '../support/postgres-retirement.ts';
import { findingsIn, openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

describe('what interrupts it does no harm:', () => {
  test('records that cannot be deleted keep their anchor where it was', async (t) => {
    const { database, config, trail } = await tenDays(t, server);
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
    assert.deepEqual(await sequences(server, database), ['pod-1:181-301/121']);
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
    assert.deepEqual(await sequences(server, database), ['pod-1:8001-8001/1']);
    assert.deepEqual(await findingsIn(reader), []);
  });

  test('two replicas at the same time', async (t) => {
    const { database, config, trail } = await tenDays(t, server);
    const other = await openPostgresTrail(t, config, { instance: 'pod-2' });
    await Promise.all([trail, other].map(({ store }) => retire(store, day(-4))));
    await retire(other.store, day(-4));
    assert.deepEqual(await sequences(server, database), ['pod-1:181-300/120']);
    assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
  });

  test('a replica that hangs with the lock holds up no other one’s records', async (t) => {
    const { database, config, trail } = await tenDays(t, server);
    const { query, close } = await connect(config, { connectTimeout: 5_000, queryTimeout: 5_000 });
    t.after(close);
    await query({ text: `SELECT pg_advisory_lock(${LOCK_CLASS}, ${LOCKS.retire})` });
    assert.equal(await trail.store.tidy(day(-4)), false);
    await trail.add(auditRecord({ time: Date.now() }));
    assert.deepEqual(await sequences(server, database), ['pod-1:1-301/301']);
  });

  test('a partition that somebody reads is dropped later', async (t) => {
    const { database, trail } = await tenDays(t, server);
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

describe('records that are not what was signed stay, so that it can be seen, and others go:', () => {
  for (const [name, sql, left] of [
    [
      'a hash was edited',
      `UPDATE rtv_audit.records SET hash = sha256('x') WHERE sequence = 100 AND instance = 'pod-1'`,
      '1-300/300',
    ],
    ['a record is missing', `DELETE FROM rtv_audit.records WHERE sequence = 100 AND instance = 'pod-1'`, '91-300/209'],
  ] as const) {
    test(name, async (t) => {
      const { database, config, trail } = await tenDays(t, server);
      const clock = { now: 0 };
      const other = await openPostgresTrail(t, config, { instance: 'pod-2', now: () => clock.now });
      await fillDays(other, clock, 'pod-2');
      await server.query(database, sql);
      const message = /^records of pod-1 up to \d+ are not those of its checkpoint and stay: verify the audit trail$/;
      if (name === 'a hash was edited') await assert.rejects(retire(trail.store, day(-4)), { message });
      else await retire(trail.store, day(-4));
      assert.deepEqual(await sequences(server, database), [`pod-1:${left}`, 'pod-2:181-300/120']);
      assert.match((await findingsIn(await postgresReader(t, config))).join('\n'), /^pod-1: record 100 /m);
    });
  }
});
