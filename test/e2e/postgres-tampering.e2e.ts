import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import type { StoreReader } from '../../src/audit/store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { day, dayName, makeDays } from '../support/postgres-days.ts';
import { findingsIn, openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

/* What somebody with every right in the database does to the records, and what the verification says of it. */

const server = await startPostgres();
after(() => server.remove());

type Prepared = { readonly database: string; readonly reader: StoreReader };

/** Two chains of 80 records over eight days, a kept checkpoint every 10, and a third that has nothing else. */
async function prepared(t: TestContext): Promise<Prepared> {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  for (const instance of ['pod-1', 'pod-2']) {
    const clock = { now: 0 };
    const trail = await openPostgresTrail(t, config, { instance, now: () => clock.now });
    await makeDays(config, [day(-7), day(-4)]);
    for (let ago = -7; ago <= 0; ago++) {
      clock.now = day(ago) + 1_000;
      await trail.add(...Array.from({ length: 10 }, (_, i) => auditRecord({ time: clock.now + i, user: `user-${i}` })));
    }
    await trail.writer.close();
  }
  return { database, reader: await postgresReader(t, config) };
}

/** Takes away the rule that ties the columns to the record. */
const UNTIE = 'ALTER TABLE rtv_audit.records DROP CONSTRAINT columns_as_recorded';

const TAMPERINGS: readonly (readonly [string, string, RegExp])[] = [
  [
    'a record was edited',
    `UPDATE rtv_audit.records SET record = replace(record::text, 'user-3', 'nobody')::json, database_user = 'nobody'
      WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'a record was edited and its hash with it',
    `UPDATE rtv_audit.records SET record = r::json, database_user = 'nobody', hash = sha256('\\x00'::bytea || convert_to(r, 'UTF8'))
      FROM (SELECT id AS i, replace(record::text, 'user-3', 'nobody') AS r FROM rtv_audit.records) AS e
      WHERE i = id AND instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 35 /m,
  ],
  [
    'what a record is found by was edited beside it',
    `${UNTIE}; UPDATE rtv_audit.records SET database_user = 'nobody' WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'a grant that watched was taken away beside the record',
    `${UNTIE}; UPDATE rtv_audit.records SET observed = NULL WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'the list of grants that watched goes on into what is behind it in the record',
    `UPDATE rtv_audit.records SET observed = '["no-nights"],"outcome":"issued"' WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'a record was put at another time',
    `${UNTIE}; UPDATE rtv_audit.records SET id = '00000000-0000-7000-8000-000000000000' WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'a record was removed',
    `DELETE FROM rtv_audit.records WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: record 34 /m,
  ],
  [
    'a day was removed',
    `DELETE FROM rtv_audit.records WHERE instance = 'pod-1' AND sequence BETWEEN 31 AND 40`,
    /^pod-1: records 31 to 40 /m,
  ],
  [
    'two records were swapped',
    `${UNTIE}; UPDATE rtv_audit.records SET sequence = 91 - sequence WHERE instance = 'pod-1' AND sequence IN (45, 46)`,
    /^pod-1: record 45 /m,
  ],
  [
    'a record was added under a number that is there, on another day',
    `${UNTIE}; INSERT INTO rtv_audit.records (id, instance, sequence, hash, record)
      SELECT '00000000-0000-7000-8000-000000000000', instance, sequence, hash, record FROM rtv_audit.records
      WHERE instance = 'pod-1' AND sequence = 34`,
    /^pod-1: .*34/m,
  ],
  [
    'the tail was cut, and the head with it',
    `DELETE FROM rtv_audit.records WHERE instance = 'pod-1' AND sequence > 70;
     UPDATE rtv_audit.heads SET sequence = 70, hash = (SELECT hash FROM rtv_audit.records WHERE instance = 'pod-1' AND sequence = 70)
       WHERE instance = 'pod-1'`,
    /^pod-1: records 71 to 80 /m,
  ],
  ['the head was removed', `DELETE FROM rtv_audit.heads WHERE instance = 'pod-1'`, /^pod-1: /m],
  [
    'the head and the checkpoints were removed',
    `DELETE FROM rtv_audit.heads WHERE instance = 'pod-1'; DELETE FROM rtv_audit.checkpoints WHERE instance = 'pod-1'`,
    /^pod-1: /m,
  ],
  [
    'the beginning was removed as if it had been retired',
    `DELETE FROM rtv_audit.records WHERE instance = 'pod-1' AND sequence <= 20;
     UPDATE rtv_audit.heads SET anchor_sequence = 20, anchor_hash = sha256('x'), anchor_frontier = sha256('x') || sha256('y')
       WHERE instance = 'pod-1'`,
    /^pod-1: /m,
  ],
  [
    'an anchor that is none',
    `UPDATE rtv_audit.heads SET anchor_sequence = 20, anchor_hash = NULL, anchor_frontier = 'x' WHERE instance = 'pod-1'`,
    /^pod-1: /m,
  ],
  [
    'a day was moved out of the table of records',
    `ALTER TABLE rtv_audit.records DETACH PARTITION rtv_audit.records_${dayName(day(-7))}`,
    /^pod-1: records 1 to 10 /m,
  ],
];

describe('the verification finds that', () => {
  for (const [name, sql, expected] of TAMPERINGS) {
    test(name, async (t) => {
      const { database, reader } = await prepared(t);
      assert.deepEqual(await findingsIn(reader), []);
      await server.query(database, sql);
      const findings = await findingsIn(reader);
      assert.match(findings.join('\n'), expected);
      // A reader that opens after it finds the same: nothing hangs on what was remembered.
      const afresh = await postgresReader(t, server.storeConfig(database));
      assert.deepEqual(await findingsIn(afresh), findings);
    });
  }
});

describe('a plain UPDATE cannot set apart', () => {
  for (const [column, value] of [
    ['id', `'00000000-0000-7000-8000-000000000000'`],
    ['sequence', '7'],
    ['instance', `'pod-9'`],
    ['database_user', `'nobody'`],
    ['subject', 'NULL'],
    ['grant_name', `'payments'`],
    ['observed', 'NULL'],
    ['observed', `'["no-admins"]'`],
    ['record', `replace(record::text, 'user-3', 'nobody')::json`],
  ]) {
    test(`${column} from the record`, async (t) => {
      const { database } = await prepared(t);
      await assert.rejects(
        server.query(
          database,
          `UPDATE rtv_audit.records SET ${column} = ${value} WHERE instance = 'pod-1' AND sequence = 34`,
        ),
        /columns_as_recorded/,
      );
    });
  }
});

test('records are counted where pages find them', async (t) => {
  const { database, reader } = await prepared(t);
  assert.equal(await reader.count('pod-1', null, 80), 80);
  assert.equal(await reader.count('pod-1', 10, 33), 23);
  assert.equal(await reader.count('pod-9', null, Infinity), 0);
  // By its own name the table still has them.
  await server.query(database, `ALTER TABLE rtv_audit.records DETACH PARTITION rtv_audit.records_${dayName(day(-7))}`);
  assert.equal(await reader.count('pod-1', null, Infinity), 70);
});

describe('a fault of the tables is told:', () => {
  for (const [name, sql, expected] of [
    ['nothing', 'SELECT 1', []],
    [
      'the rule of a day is gone',
      `ALTER TABLE rtv_audit.records DROP CONSTRAINT columns_as_recorded`,
      /^rtv_audit.records has lost the rule .*\nrtv_audit.records_2/,
    ],
    [
      'the rule came back for new records only',
      `${UNTIE}; ALTER TABLE rtv_audit.records ADD CONSTRAINT columns_as_recorded CHECK (true) NOT VALID`,
      /^rtv_audit.records has lost the rule/,
    ],
    [
      'a view is in the place of the records',
      `ALTER TABLE rtv_audit.records RENAME TO all_records;
       CREATE VIEW rtv_audit.records AS SELECT * FROM rtv_audit.all_records WHERE subject <> 'x';
       GRANT SELECT ON rtv_audit.records TO PUBLIC`,
      /^rtv_audit.records is not the partitioned table/,
    ],
    [
      'a rewrite rule',
      `CREATE RULE nothing AS ON INSERT TO rtv_audit.records WHERE NEW.subject = 'x' DO INSTEAD NOTHING`,
      /^rtv_audit.records has a rewrite rule/,
    ],
    [
      'a trigger',
      `CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
       CREATE TRIGGER nothing BEFORE INSERT ON rtv_audit.heads FOR EACH ROW EXECUTE FUNCTION public.nothing()`,
      /^rtv_audit.heads has the trigger nothing, which the service did not make$/,
    ],
    [
      'an index is gone',
      'DROP INDEX rtv_audit.records_action',
      /^the index rtv_audit.records_action is not as the service made it$/,
    ],
    [
      'the index of grants that watched leaves some out',
      `DROP INDEX rtv_audit.records_observed;
       CREATE INDEX records_observed ON rtv_audit.records (id) WHERE observed IS NOT NULL AND sequence <> 34`,
      /^the index rtv_audit.records_observed is not as the service made it$/,
    ],
    [
      'the view for people hides records',
      `CREATE OR REPLACE VIEW rtv_audit.events AS SELECT
         id, (record->>'time')::timestamptz AS time, instance, sequence,
         record->>'action' AS action, record->>'outcome' AS outcome, record->>'reason' AS reason,
         record->>'issuer' AS issuer, record->>'subject' AS subject, record->'claims' AS claims,
         record->>'database' AS database, record->>'user' AS database_user, record->>'endpoint' AS endpoint,
         record->>'grant' AS grant_name, observed::jsonb AS observed,
         (record->>'token_expires_at')::timestamptz AS token_expires_at,
         record->>'client' AS client, record->>'client_address' AS client_address, record->>'detail' AS detail,
         (record->>'repeated')::bigint AS repeated, encode(hash, 'hex') AS hash, record
       FROM rtv_audit.records WHERE subject <> 'x'`,
      /^the view rtv_audit.events is not as the service made it$/,
    ],
    ['the view for people is gone', 'DROP VIEW rtv_audit.events', /^the view rtv_audit.events is not/],
  ] as const) {
    test(name, async (t) => {
      const { database, reader } = await prepared(t);
      await server.query(database, sql);
      const faults = await reader.faults();
      if (expected instanceof RegExp) assert.match(faults.join('\n'), expected);
      else assert.deepEqual(faults, expected);
    });
  }
});

test('a policy that would hide rows from the reader is an error, not a shorter answer', async (t) => {
  const { database, reader } = await prepared(t);
  await server.query(
    database,
    `ALTER TABLE rtv_audit.records ENABLE ROW LEVEL SECURITY; ALTER TABLE rtv_audit.records FORCE ROW LEVEL SECURITY;
     CREATE POLICY hide ON rtv_audit.records USING (subject <> 'x')`,
  );
  await assert.rejects(reader.page({ filter: {}, limit: 1 }), /would be affected by row-level security/);
  await assert.rejects(reader.count('pod-1', null, 80), /would be affected by row-level security/);
});

test('a record that a trigger drops is not said to be written', async (t) => {
  const { database } = await prepared(t);
  const trail = await openPostgresTrail(t, server.storeConfig(database));
  await server.query(
    database,
    `CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
     CREATE TRIGGER swallow BEFORE INSERT ON rtv_audit.records FOR EACH ROW WHEN (NEW.subject = 'x') EXECUTE FUNCTION public.swallow()`,
  );
  const failure = await trail.write(auditRecord(), auditRecord({ subject: 'x' }));
  assert.equal(failure, 'the server did not keep all of the records');
  // Nothing of the commit stays: the chain has no hole.
  const [head] = await server.query(database, 'SELECT sequence FROM rtv_audit.heads');
  const [kept] = await server.query(database, 'SELECT max(sequence) AS last FROM rtv_audit.records');
  assert.equal(head?.['sequence'], kept?.['last']);
});

test('people with SQL read the records in a view', async (t) => {
  const { database } = await prepared(t);
  const rows = await server.query(
    database,
    `SELECT time, database, database_user, outcome, grant_name, observed, hash FROM rtv_audit.events
      WHERE instance = 'pod-1' AND sequence = 34`,
  );
  const [{ hash, ...event } = {}] = rows;
  assert.match(String(hash), /^[0-9a-f]{64}$/);
  assert.deepEqual(event, {
    time: new Date(day(-4) + 1_003),
    database: 'orders',
    database_user: 'user-3',
    outcome: 'issued',
    grant_name: 'payments-api',
    observed: ['no-nights'],
  });
});
