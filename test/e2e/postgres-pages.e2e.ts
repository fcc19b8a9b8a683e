import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresStore } from '../../src/audit/postgres/postgres-store.ts';
import { openPostgresReader } from '../../src/audit/postgres/postgres-reader.ts';
import type { StoreReader } from '../../src/audit/store.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import { day, dayName, makeDays } from '../support/postgres-days.ts';
import { fillRecords } from '../support/postgres-fill.ts';
import { logPlans, type PlanNode, plansIn } from '../support/postgres-plans.ts';
import { startPostgres } from '../support/postgres-server.ts';

/* The plans are those that the server carried out and logged, with what each step looked at. */

const DAYS = 5;
const PER_DAY = 12_000;

const server = await startPostgres();
let reader: StoreReader;

before(async () => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const store = createPostgresStore(config, 'pod-1');
  await store.open(true);
  await store.close();
  await makeDays(config, [day(-3)]);
  await fillRecords(server, database, DAYS, PER_DAY, {
    action: `CASE WHEN n = 5000 AND ago = 4 THEN 'audit.find' ELSE 'token.issue' END`,
    outcome: `CASE WHEN n % 50 = 0 THEN 'refused' WHEN n % 2999 = 0 THEN 'failed' ELSE 'issued' END`,
    issuer: `CASE WHEN n % 10 = 0 THEN 'corp' ELSE 'cluster' END`,
    subject: `CASE WHEN n % 7 = 0 AND ago >= 2 THEN 'left' ELSE 'team-' || n % 900 END`,
    database: `CASE WHEN n % 3 = 0 THEN 'orders' ELSE 'db-' || n % 40 END`,
    user: `CASE WHEN n % 1000 = 3 THEN 'admin' WHEN n % 2 = 0 AND ago = 4 THEN 'old_app' ELSE 'app_rw' END`,
    endpoint: `CASE WHEN n % 4 = 0 THEN 'reader' ELSE 'writer' END`,
    grant: `'grant-' || (n * 7919) % 200`,
    observed: `CASE WHEN n % 1500 = 11 THEN '["x","no-nights"]' WHEN n % 700 = 13 THEN '["no-admins"]' END::json`,
    token_fingerprint: `md5(n::text) || md5(ago::text)`,
  });
  await server.query(database, 'VACUUM ANALYZE rtv_audit.records');
  await logPlans(server, database);
  reader = await openPostgresReader(config);
});
after(async () => {
  await reader.close();
  await server.remove();
});

type Looked = { readonly events: readonly string[]; readonly next: string | null; readonly nodes: readonly PlanNode[] };

async function look(filter: AuditFilter, limit = 100, cursor?: string): Promise<Looked> {
  const from = server.log().length;
  const page = await reader.page({ filter, limit, cursor });
  // The server writes a statement's plan after its answer.
  await pause(50);
  return { ...page, nodes: plansIn(server.log().slice(from)) };
}

/** Rows that scans gave or threw away. */
function lookedAt(nodes: readonly PlanNode[]): number {
  return nodes.filter(({ relation }) => relation !== null).reduce((sum, { rows, removed }) => sum + rows + removed, 0);
}

function assertIndexed(nodes: readonly PlanNode[]): void {
  assert.ok(nodes.length > 0);
  assert.deepEqual(
    nodes.filter(
      ({ type, index, relation }) => /Sort|Seq Scan|Bitmap/.test(type) || (relation !== null && index === null),
    ),
    [],
  );
}

describe('one index gives a page, and no record is looked at in vain:', () => {
  const ALONE: readonly (readonly [string, AuditFilter, number])[] = [
    ['nothing asked', {}, 100],
    ['a frequent action', { action: 'token.issue' }, 100],
    ['an action that happened once', { action: 'audit.find' }, 1],
    ['an action that never happened', { action: 'audit.export' }, 0],
    ['a frequent outcome', { outcome: 'issued' }, 100],
    ['a rare outcome', { outcome: 'failed' }, 20],
    ['an outcome that never was', { outcome: 'answered' }, 0],
    ['an issuer', { issuer: 'corp' }, 100],
    ['an unknown issuer', { issuer: 'x' }, 0],
    ['a subject', { subject: 'team-17' }, 67],
    ['a subject that was frequent until three days ago', { subject: 'left' }, 100],
    ['an unknown subject', { subject: 'x' }, 0],
    ['a database', { database: 'orders' }, 100],
    ['a user of all databases', { user: 'admin' }, 60],
    ['a user that was frequent four days ago', { user: 'old_app' }, 100],
    ['an endpoint', { endpoint: 'reader' }, 100],
    ['an unknown endpoint', { endpoint: 'x' }, 0],
    ['a grant', { grant: 'grant-7' }, 100],
    ['a user of a database', { database: 'orders', user: 'admin' }, 20],
    ['a user who is frequent, never of this database', { database: 'db-1', user: 'old_app' }, 0],
    ['a user of a database on three days', { database: 'orders', user: 'admin', from: day(-3), to: day(0) }, 12],
  ];

  for (const [name, filter, expected] of ALONE) {
    test(name, async () => {
      const { events, nodes } = await look(filter);
      if (name === 'a subject') assert.ok(events.length > 50 && events.length < 100);
      else assert.equal(events.length, expected);
      assertIndexed(nodes);
      // Those of the page, the next one, and one for each partition that is merged.
      assert.ok(lookedAt(nodes) <= events.length + 1 + nodes.length, String(lookedAt(nodes)));
      assert.equal(
        nodes.reduce((sum, { removed }) => sum + removed, 0),
        0,
      );
    });
  }
});

test('an index is used where the statistics say that another one is as good', async () => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const store = createPostgresStore(config, 'pod-1');
  await store.open(true);
  await store.close();
  const rest = { action: `'token.issue'`, outcome: `'issued'`, user: `CASE WHEN n % 2 = 0 THEN 'half' ELSE 'app' END` };
  await fillRecords(server, database, 1, PER_DAY, rest);
  await server.query(database, 'ANALYZE rtv_audit.records');
  // The statistics still say: every second one.
  await server.query(database, `ALTER TABLE rtv_audit.records_${dayName(day(0))} SET (autovacuum_enabled = off)`);
  await server.query(database, `DELETE FROM rtv_audit.records WHERE database_user = 'half' AND sequence <> 1`);
  await logPlans(server, database);
  const other = await openPostgresReader(config);
  const from = server.log().length;
  const { events } = await other.page({ filter: { user: 'half' }, limit: 10 });
  await pause(50);
  const nodes = plansIn(server.log().slice(from));
  await other.close();
  assert.equal(events.length, 1);
  assertIndexed(nodes);
  assert.ok(lookedAt(nodes) <= 10);
});

for (const [name, before, after] of [
  ['has none yet', '', ''],
  [
    'says that every record has a list',
    'ANALYZE rtv_audit.records',
    `UPDATE rtv_audit.records SET observed = NULL,
    record = replace(record::text, '["no-nights"]', 'null')::json WHERE sequence % 3000 <> 1`,
  ],
] as const) {
  test(`the few records with a list of grants are found by their own index where the server's statistics ${name}`, async () => {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    const store = createPostgresStore(config, 'pod-1');
    await store.open(true);
    await store.close();
    await server.query(database, `ALTER TABLE rtv_audit.records_${dayName(day(0))} SET (autovacuum_enabled = off)`);
    const every = before === '' ? `n % 3000 = 0` : 'true';
    await fillRecords(server, database, 1, PER_DAY, { observed: `CASE WHEN ${every} THEN '["no-nights"]' END::json` });
    await server.query(database, before);
    await server.query(database, after);
    await logPlans(server, database);
    const other = await openPostgresReader(config);
    const from = server.log().length;
    const { events, next } = await other.page({ filter: { observed: 'no-nights' }, limit: 10 });
    await pause(50);
    const nodes = plansIn(server.log().slice(from));
    await other.close();
    assert.deepEqual([events.length, next], [4, null]);
    assertIndexed(nodes);
    assert.ok(lookedAt(nodes) < 40, String(lookedAt(nodes)));
  });
}

describe('several conditions look at a bounded number of records:', () => {
  const matching = (filter: AuditFilter): string =>
    Object.entries(filter)
      .map(([name, value]) => {
        const text = `'${String(value)}'`;
        return name === 'observed' ? `(record->>'observed')::jsonb ? ${text}` : `record->>'${name}' = ${text}`;
      })
      .join(' AND ');

  const TOGETHER: readonly AuditFilter[] = [
    { database: 'orders', outcome: 'refused' },
    { issuer: 'corp', endpoint: 'reader', outcome: 'refused', action: 'token.issue' },
    { user: 'app_rw', endpoint: 'reader', grant: 'grant-8' },
    { database: 'orders', user: 'admin', outcome: 'failed' },
    { subject: 'left', grant: 'grant-1', outcome: 'issued' },
    { issuer: 'cluster', outcome: 'refused' },
    { observed: 'no-nights' },
    { observed: 'no-admins', user: 'app_rw', database: 'orders' },
    { observed: 'no-nights', action: 'audit.find' },
  ];

  for (const filter of TOGETHER) {
    test(Object.keys(filter).join(', '), async () => {
      const found: string[] = [];
      for (let cursor: string | undefined, pages = 0; ; pages += 1) {
        const { events, next, nodes } = await look(filter, 50, cursor);
        found.push(...events.map((line): string => JSON.parse(line).id));
        assertIndexed(nodes);
        // The records themselves, their count, and the looks into each index.
        assert.ok(lookedAt(nodes) < 2 * 20_000 + 3 * 2_000 * 4, String(lookedAt(nodes)));
        if (next === null) break;
        assert.ok(pages < 100);
        cursor = next;
      }
      const rows = await server.query(
        'audit_1',
        `SELECT id FROM rtv_audit.records WHERE ${matching(filter)} ORDER BY id DESC`,
      );
      assert.deepEqual(
        found,
        rows.map(({ id }) => id),
      );
    });
  }

  test('a condition that few records meet is looked up first, whatever the others are', async () => {
    const { events, nodes } = await look({
      issuer: 'cluster',
      user: 'app_rw',
      action: 'audit.find',
      endpoint: 'reader',
    });
    assert.equal(events.length, 0);
    const inVain = nodes.reduce((sum, { removed }) => sum + removed, 0);
    assert.ok(inVain <= 1, String(inVain));
  });

  test('a page that found nothing among many records says where to go on', async () => {
    const filter = { tokenFingerprint: 'f'.repeat(64) };
    const first = await look(filter);
    assert.deepEqual([first.events, first.next === null], [[], false]);
    let pages = 1;
    for (let { next } = first; next !== null; pages += 1)
      ({ next } = await reader.page({ filter, limit: 10, cursor: next }));
    assert.equal(pages, Math.ceil((DAYS * PER_DAY) / 20_000) + 1);
  });
});
