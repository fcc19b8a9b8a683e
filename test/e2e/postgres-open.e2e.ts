import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { createPostgresStore } from '../../src/audit/postgres/postgres-store.ts';
import type { Store } from '../../src/audit/store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { postgresRefusal } from '../support/postgres-refusal.ts';
import { openPostgresTrail, postgresReader, postgresTrail } from '../support/postgres-trail.ts';
import { type PostgresConfig, startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

function storeOf(t: TestContext, config: PostgresConfig): Store {
  const store = createPostgresStore(config, 'pod-1');
  t.after(() => store.close());
  return store;
}

test('a new database gets its tables, and the partitions of yesterday to the day after tomorrow', async (t) => {
  const database = await server.createDatabase();
  await storeOf(t, server.storeConfig(database)).open(true);
  const rows = await server.query(
    database,
    `SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'rtv_audit.records'::regclass ORDER BY 1`,
  );
  const day = (ahead: number) =>
    new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  const days = [-1, 0, 1, 2].map((ahead) => `records_${day(ahead)}`);
  assert.deepEqual(
    rows.map(({ relname }) => relname),
    [...days, 'records_default'],
  );
});

test('replicas that start at the same time make the tables once', async (t) => {
  const database = await server.createDatabase();
  const stores = Array.from({ length: 4 }, () => storeOf(t, server.storeConfig(database)));
  await Promise.all(stores.map((store) => store.open(true)));
  assert.deepEqual(await server.query(database, 'SELECT version FROM rtv_audit.migrations'), [{ version: 2 }]);
  const [tables] = await server.query(
    database,
    `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'rtv_audit.records'::regclass`,
  );
  assert.equal(tables?.['n'], 5);
});

test('a user who may not make a schema is served by one that was made for it', async (t) => {
  const database = await server.createDatabase();
  await server.query(database, `ALTER DATABASE ${database} OWNER TO postgres`);
  assert.match(await postgresRefusal(t, server, server.storeConfig(database)), /permission denied for database/);
  await server.query(database, `CREATE SCHEMA rtv_audit AUTHORIZATION ${server.user}`);
  await storeOf(t, server.storeConfig(database)).open(true);
});

test('a user of another name with rights of its own reads and writes what is there', async (t) => {
  const database = await server.createDatabase();
  await openPostgresTrail(t, server.storeConfig(database));
  await server.query(
    database,
    `CREATE ROLE narrow LOGIN PASSWORD '${server.password}'; GRANT USAGE ON SCHEMA rtv_audit TO narrow;
     GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA rtv_audit TO narrow`,
  );
  const config = server.storeConfig(database, { user: 'narrow' });
  const trail = await openPostgresTrail(t, config, { instance: 'pod-2' });
  await trail.add(auditRecord());
  assert.equal((await (await postgresReader(t, config)).page({ filter: {}, limit: 10 })).events.length, 1);
});

describe('a server that would lose what it said is written is refused:', () => {
  const message = /synchronous_commit is off for this server, database or user/;

  test('synchronous_commit is off for the server', async (t) => {
    const database = await server.createDatabase();
    await server.restart({ synchronous_commit: 'off' });
    t.after(() => server.restart({}));
    assert.match(await postgresRefusal(t, server, server.storeConfig(database)), message);
  });

  test('synchronous_commit is off for the database', async (t) => {
    const database = await server.createDatabase();
    await server.query(database, `ALTER DATABASE ${database} SET synchronous_commit = off`);
    assert.match(await postgresRefusal(t, server, server.storeConfig(database)), message);
  });

  test('synchronous_commit is off for the user', async (t) => {
    const database = await server.createDatabase();
    await server.query(database, `ALTER ROLE ${server.user} SET synchronous_commit = off`);
    t.after(() => server.query(database, `ALTER ROLE ${server.user} RESET synchronous_commit`));
    assert.match(await postgresRefusal(t, server, server.storeConfig(database)), message);
  });

  for (const setting of ['fsync', 'full_page_writes']) {
    test(`${setting} is off`, async (t) => {
      const database = await server.createDatabase();
      await server.restart({ [setting]: 'off' });
      t.after(() => server.restart({}));
      assert.match(
        await postgresRefusal(t, server, server.storeConfig(database)),
        new RegExp(`^${setting} is off on the server`),
      );
    });
  }
});

for (const level of ['local', 'remote_write', 'remote_apply', 'on']) {
  test(`synchronous_commit = ${level} is taken, and kept by the session when it is switched off later`, async (t) => {
    const database = await server.createDatabase();
    await server.query(database, `ALTER DATABASE ${database} SET synchronous_commit = ${level}`);
    const trail = await openPostgresTrail(t, server.storeConfig(database));
    await server.query(
      database,
      `CREATE TABLE public.seen (level text); GRANT ALL ON public.seen TO PUBLIC;
       CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
       CREATE TRIGGER see AFTER UPDATE ON rtv_audit.heads EXECUTE FUNCTION public.see()`,
    );
    await server.query(database, 'ALTER SYSTEM SET synchronous_commit = off');
    t.after(() => server.query(database, 'ALTER SYSTEM RESET synchronous_commit').then(() => server.restart()));
    await server.query(database, 'SELECT pg_reload_conf()');
    await trail.add(auditRecord());
    await trail.add(auditRecord());
    assert.deepEqual(await server.query(database, 'SELECT DISTINCT level FROM public.seen'), [{ level }]);
  });
}

describe('what cannot keep records is refused:', () => {
  test('a database that takes no writes', async (t) => {
    const database = await server.createDatabase();
    await server.query(database, `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    assert.match(await postgresRefusal(t, server, server.storeConfig(database)), /default_transaction_read_only is on/);
  });

  test('a database that has not every character', async (t) => {
    const database = await server.createDatabase(`TEMPLATE template0 ENCODING 'LATIN1'`);
    assert.match(
      await postgresRefusal(t, server, server.storeConfig(database)),
      /encoding of the database is LATIN1 where UTF8 is needed/,
    );
  });

  test('tables of a newer program', async (t) => {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    const store = storeOf(t, config);
    await store.open(true);
    await server.query(database, 'INSERT INTO rtv_audit.migrations VALUES (3)');
    const message = /of version 3 and this program knows versions up to 2: run the newer rds-token-vendor/;
    assert.match(await postgresRefusal(t, server, config), message);
    assert.match(await postgresRefusal(t, server, config, false), message);
    await assert.rejects(postgresReader(t, config), message);
  });

  test('tables of a program that was never released', async (t) => {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    await storeOf(t, config).open(true);
    await server.query(database, 'UPDATE rtv_audit.migrations SET version = 1');
    const message = /^its tables were made by a program that was never released: keep them elsewhere/;
    assert.match(await postgresRefusal(t, server, config), message);
    assert.match(await postgresRefusal(t, server, config, false), message);
    await assert.rejects(postgresReader(t, config), /its tables were made by a program that was never released/);
  });

  test('a table that is emptied by a crash', async (t) => {
    const database = await server.createDatabase();
    await storeOf(t, server.storeConfig(database)).open(true);
    await server.query(database, 'ALTER TABLE rtv_audit.heads SET UNLOGGED');
    assert.match(await postgresRefusal(t, server, server.storeConfig(database)), /missing or unlogged/);
  });

  test('a database without audit tables, by the reader', async (t) => {
    const config = server.storeConfig(await server.createDatabase());
    await assert.rejects(postgresReader(t, config), /there are no audit tables in this database/);
  });
});

test('tables that were removed while in use are not made again, nor is a chain begun anew', async (t) => {
  const database = await server.createDatabase();
  const trail = await openPostgresTrail(t, server.storeConfig(database));
  await trail.add(auditRecord());
  await server.query(database, 'DROP SCHEMA rtv_audit CASCADE');
  assert.match((await trail.write(auditRecord())) ?? '', /does not exist/);
  for (let i = 0; i < 2; i++) {
    assert.equal(await trail.write(auditRecord()), 'the audit tables were removed while in use');
  }
  assert.deepEqual(await server.query(database, `SELECT FROM pg_namespace WHERE nspname = 'rtv_audit'`), []);
});

test('a head that was removed while in use is not begun anew', async (t) => {
  const database = await server.createDatabase();
  const trail = await openPostgresTrail(t, server.storeConfig(database));
  await trail.add(auditRecord());
  await server.query(database, 'DELETE FROM rtv_audit.heads');
  assert.match((await trail.write(auditRecord())) ?? '', /the end of the chain of pod-1 was removed/);
  const restarted = postgresTrail(t, server.storeConfig(database));
  await assert.rejects(restarted.writer.open(true), /the end of the chain of pod-1 was removed/);
});
