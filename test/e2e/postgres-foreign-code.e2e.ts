import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import pg from 'pg';
import type { StoreReader } from '../../src/audit/store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { eventually } from '../support/eventually.ts';
import { postgresRefusal } from '../support/postgres-refusal.ts';
import { findingsIn, openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { type PostgresConfig, startPostgres } from '../support/postgres-server.ts';

/* The owner of the tables is no superuser, and leaves code in them for whoever reads them next: here one is. */

const server = await startPostgres();
after(() => server.remove());

before(async () => {
  // What an operator may have given to the owner for other work.
  await server.query(
    'template1',
    `CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
     GRANT USAGE ON FOREIGN SERVER nowhere TO PUBLIC`,
  );
});

/** Tells when somebody else than the owner runs it. */
const CODE = `CREATE SCHEMA e; GRANT USAGE ON SCHEMA e TO PUBLIC;
  CREATE FUNCTION e.f(x text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF current_user = 'postgres' THEN RAISE WARNING 'code ran in %', current_database(); END IF;
    RETURN x;
  END $$`;

type Prepared = {
  readonly database: string;
  readonly superuser: PostgresConfig;
  /** Runs SQL as the owner of the tables. */
  own(sql: string): Promise<void>;
  /** Whether code of the owner ran as a superuser until now. */
  ran(): Promise<boolean>;
};

async function prepared(t: TestContext): Promise<Prepared> {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const trail = await openPostgresTrail(t, config);
  await trail.add(auditRecord({ time: Date.now() }), auditRecord({ time: 1_000 }));
  await trail.writer.close();

  async function own(sql: string): Promise<void> {
    const { port, user, password } = server;
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database, ssl: false });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  async function ran(): Promise<boolean> {
    const mark = `looked at ${database} ${performance.now()}`;
    await server.query(database, `DO $$ BEGIN RAISE WARNING '${mark}'; END $$`);
    await eventually(async () => assert.ok(server.log().includes(mark)));
    return server.log().includes(`code ran in ${database}\n`);
  }

  await own(CODE);
  return { database, superuser: { ...config, host: server.socketDirectory, user: 'postgres' }, own, ran };
}

async function readAll(reader: StoreReader): Promise<void> {
  await findingsIn(reader);
  const { events } = await reader.page({ filter: { subject: 'nobody' }, limit: 10 });
  assert.deepEqual(events, []);
  assert.equal(await reader.get('00000000-0000-7000-8000-000000000000'), null);
  await reader.faults();
}

const inPlaceOf = (table: string, column: string): readonly [string, string, RegExp] => [
  `a view in the place of ${table}`,
  `ALTER TABLE rtv_audit.${table} RENAME TO before;
   CREATE VIEW rtv_audit.${table} AS SELECT * FROM rtv_audit.before WHERE e.f(${column}::text) = ${column}::text`,
  new RegExp(`rtv_audit.${table} is not the table that the service made`),
];

const PARTITION = `FROM ('00000000-0000-0000-0000-000000000000') TO ('00000000-0001-0000-0000-000000000000')`;

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  inPlaceOf('migrations', 'version'),
  inPlaceOf('heads', 'instance'),
  inPlaceOf('checkpoints', 'instance'),
  inPlaceOf('probe', 'one'),
  [
    'a foreign table among the partitions',
    `ALTER TABLE rtv_audit.records DROP CONSTRAINT records_pkey;
     CREATE FOREIGN TABLE rtv_audit.far PARTITION OF rtv_audit.records FOR VALUES ${PARTITION} SERVER nowhere`,
    /rtv_audit.far is not the table that the service made/,
  ],
  [
    'partitions of a partition',
    `CREATE TABLE rtv_audit.parted PARTITION OF rtv_audit.records FOR VALUES ${PARTITION} PARTITION BY RANGE (id)`,
    /rtv_audit.parted is not the table that the service made/,
  ],
  [
    'a table that adds rows to the heads',
    'CREATE TABLE public.more () INHERITS (rtv_audit.heads)',
    /public.more is not the table that the service made/,
  ],
  [
    'an index of an expression, which the planner computes',
    `CREATE INDEX ON rtv_audit.heads (e.f('x'))`,
    /rtv_audit.heads has a column, an index or statistics/,
  ],
  [
    'an index of a partition with a condition, which the planner computes',
    `CREATE INDEX ON rtv_audit.records_default (id) WHERE e.f('x') = 'x'`,
    /rtv_audit.records_default has a column, an index or statistics/,
  ],
  [
    'statistics of an expression, which the planner computes',
    `CREATE STATISTICS rtv_audit.some ON (e.f('x')), size FROM rtv_audit.checkpoints`,
    /rtv_audit.checkpoints has a column, an index or statistics/,
  ],
  [
    'a column of a type with a cast of its own',
    `DROP VIEW rtv_audit.events; ALTER TABLE rtv_audit.records DROP CONSTRAINT columns_as_recorded;
     CREATE TYPE e.t AS (x text); GRANT USAGE ON TYPE e.t TO PUBLIC;
     CREATE FUNCTION e.cast(e.t) RETURNS text IMMUTABLE LANGUAGE SQL AS $$ SELECT e.f($1.x) $$;
     CREATE CAST (e.t AS text) WITH FUNCTION e.cast(e.t);
     ALTER TABLE rtv_audit.records ALTER COLUMN record TYPE e.t USING ROW(record::text)::e.t`,
    /rtv_audit.records has a column, an index or statistics/,
  ],
];

describe('whoever opens a store does not run', () => {
  for (const [name, sql, expected] of REFUSED) {
    test(name, async (t) => {
      const { superuser, own, ran } = await prepared(t);
      await own(sql);
      const opened = postgresReader(t, superuser);
      // One that opens has to read: what runs is the fault.
      await opened.then(readAll).catch(() => undefined);
      const written = await postgresRefusal(t, server, superuser).catch(String);
      assert.equal(await ran(), false);
      await assert.rejects(opened, expected);
      assert.match(written, expected);
    });
  }
});

test('a view that takes the place of a table while a store is read is not run', async (t) => {
  const { database, superuser, own, ran } = await prepared(t);
  const known = await server.query(database, `SELECT FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'`);
  if (known.length === 0) return t.skip('the server is of before August 2024');
  const reader = await postgresReader(t, superuser);
  await own(inPlaceOf('heads', 'instance')[1]);
  await assert.rejects(reader.chains(), /access to non-system view "heads" is restricted/);
  assert.match((await reader.faults()).join('\n'), /^rtv_audit.heads is not the table that the service made$/m);
  assert.equal(await ran(), false);
});

test('what the server does by itself with code of the tables does not reach a reader', async (t) => {
  const { superuser, own, ran } = await prepared(t);
  await own(
    `ALTER TABLE rtv_audit.heads ADD CHECK (e.f('x') = 'x');
     ALTER TABLE rtv_audit.records ADD CHECK (e.f('x') = 'x');
     ALTER TABLE rtv_audit.checkpoints ADD COLUMN made text GENERATED ALWAYS AS (e.f(note)) STORED;
     ALTER TABLE rtv_audit.checkpoints ALTER COLUMN note SET DEFAULT e.f('x');
     CREATE RULE also AS ON UPDATE TO rtv_audit.probe DO ALSO SELECT e.f('x');
     CREATE POLICY hide ON rtv_audit.records USING (e.f('x') = 'x'); ALTER TABLE rtv_audit.records ENABLE ROW LEVEL SECURITY`,
  );
  await readAll(await postgresReader(t, superuser));
  assert.equal(await ran(), false);
});

test('the name of a partition is no SQL, even where a backslash escapes', async (t) => {
  const { database, superuser, own, ran } = await prepared(t);
  const name = String.raw`rtv_audit."x\'||e.f(current_user),--"`;
  await own(
    `ALTER DATABASE ${database} SET standard_conforming_strings = off;
     CREATE TABLE ${name} (LIKE rtv_audit.records INCLUDING ALL);
     ALTER TABLE rtv_audit.records ATTACH PARTITION ${name} FOR VALUES ${PARTITION}`,
  );
  const reader = await postgresReader(t, superuser);
  const findings = await findingsIn(reader).catch(String);
  assert.equal(await ran(), false);
  assert.deepEqual(findings, []);
  // Whoever removes old partitions names them too.
  const trail = await openPostgresTrail(t, superuser);
  await trail.store.tidy(Date.now());
  assert.equal(await ran(), false);
});

test('a partition in a schema whose name needs quotes is read, and never removed', async (t) => {
  const { database, superuser, own, ran } = await prepared(t);
  const table = `"a$do$; SELECT e.f('x')--".records_20200101`;
  await own(
    `CREATE SCHEMA "a$do$; SELECT e.f('x')--"; CREATE TABLE ${table} (LIKE rtv_audit.records INCLUDING ALL);
     ALTER TABLE rtv_audit.records ATTACH PARTITION ${table} FOR VALUES ${PARTITION}`,
  );
  assert.deepEqual(await findingsIn(await postgresReader(t, superuser)), []);
  const trail = await openPostgresTrail(t, superuser);
  await trail.store.tidy(Date.now());
  assert.equal(await ran(), false);
  assert.deepEqual(await server.query(database, `SELECT count(*)::int AS n FROM ${table}`), [{ n: 0 }]);
});
