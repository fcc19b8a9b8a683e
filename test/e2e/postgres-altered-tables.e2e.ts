import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { day, dayName } from '../support/postgres-days.ts';
import { postgresRefusal } from '../support/postgres-refusal.ts';
import { findingsIn, openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

const TODAY = `records_${dayName(day(0))}`;

describe('a table that a crash of the server would empty', () => {
  for (const table of [TODAY, 'records_default', 'heads', 'checkpoints']) {
    const message = new RegExp(`rtv_audit.${table} is unlogged, so that a crash of the server would empty it`);

    test(`is refused and told: ${table}`, async (t) => {
      const database = await server.createDatabase();
      const config = server.storeConfig(database);
      const trail = await openPostgresTrail(t, config);
      await trail.add(auditRecord({ time: Date.now() }));
      const reader = await postgresReader(t, config);
      await server.query(database, `ALTER TABLE rtv_audit.${table} SET UNLOGGED`);
      assert.match((await reader.faults()).join('\n'), message);
      assert.match(await postgresRefusal(t, server, config), message);
      assert.match(await postgresRefusal(t, server, config, false), message);
      await assert.rejects(postgresReader(t, config), message);
    });

    test(`stops the records of who uses it, until it is mended: ${table}`, async (t) => {
      const database = await server.createDatabase();
      const trail = await openPostgresTrail(t, server.storeConfig(database));
      await trail.add(auditRecord({ time: Date.now() }));
      await server.query(database, `ALTER TABLE rtv_audit.${table} SET UNLOGGED`);
      await assert.rejects(trail.store.tidy(null), message);
      for (let i = 0; i < 2; i++) assert.match((await trail.write(auditRecord())) ?? '', message);
      await server.query(database, `ALTER TABLE rtv_audit.${table} SET LOGGED`);
      await trail.add(auditRecord({ time: Date.now() }));
      assert.equal(await trail.store.tidy(null), false);
    });
  }
});

describe('a rewrite rule is told on', () => {
  for (const table of ['heads', 'checkpoints', 'probe', 'migrations', 'records_default', TODAY]) {
    test(table, async (t) => {
      const database = await server.createDatabase();
      const config = server.storeConfig(database);
      await openPostgresTrail(t, config);
      await server.query(database, `CREATE RULE nothing AS ON DELETE TO rtv_audit.${table} DO INSTEAD NOTHING`);
      const faults = await (await postgresReader(t, config)).faults();
      assert.deepEqual(faults, [`rtv_audit.${table} has a rewrite rule, which the service did not make`]);
    });
  }
});

test('row-level security is told on, also to those for whom it does not hold', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  await openPostgresTrail(t, config);
  await server.query(
    database,
    `ALTER TABLE rtv_audit.records ENABLE ROW LEVEL SECURITY;
     CREATE POLICY hide ON rtv_audit.records USING (outcome IS DISTINCT FROM 'refused')`,
  );
  const faults = await (await postgresReader(t, config)).faults();
  assert.deepEqual(faults, ['rtv_audit.records has row-level security, which hides rows from other users']);
});

describe('a text of 255 characters or more is found by exactly 255 of them:', () => {
  const smiles = '\u{1f600}';
  for (const [name, subject, more] of [
    ['a long text', `eve:${'x'.repeat(300)}`, "record->>'subject'"],
    ['characters of two UTF-16 units', smiles.repeat(300), "record->>'subject'"],
    ['one character more', smiles.repeat(256), "record->>'subject'"],
    ['one character less', smiles.repeat(300), `left(subject, -1)`],
  ] as const) {
    test(name, async (t) => {
      const database = await server.createDatabase();
      const config = server.storeConfig(database);
      const trail = await openPostgresTrail(t, config);
      await trail.add(auditRecord(), auditRecord({ subject }), auditRecord({ subject: smiles.repeat(255) }));
      const reader = await postgresReader(t, config);
      assert.deepEqual(await findingsIn(reader), []);
      const edit = `UPDATE rtv_audit.records SET subject = ${more} WHERE sequence = 2`;
      await assert.rejects(server.query(database, edit), /columns_as_recorded/);
      await server.query(database, `ALTER TABLE rtv_audit.records DROP CONSTRAINT columns_as_recorded; ${edit}`);
      assert.deepEqual((await reader.page({ filter: { subject }, limit: 10 })).events, []);
      assert.match((await findingsIn(reader)).join('\n'), /^pod-1: record 2 /m);
    });
  }
});
