import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isEventsView } from '../../src/audit/postgres/events-view.ts';
import { documentedQuery } from '../support/documented-query.ts';
import { CHANGED_LOGINS, changedLogin, OBSERVED_RECORDS } from '../support/observed-records.ts';
import { openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

/* The view for people must show what is there. Its text is compared as the server gives it back. */

const server = await startPostgres();
after(() => server.remove());

const DEFINITION = `SELECT pg_get_viewdef('rtv_audit.events'::regclass) AS text`;

/** What somebody makes of the view; each changes one thing of it. */
const CHANGES: readonly (readonly [string, (view: string) => string])[] = [
  ['without the partitions', (view) => view.replace('FROM rtv_audit.records', 'FROM ONLY rtv_audit.records')],
  ['with a function over a member', (view) => view.replace(/\S+ ->> 'user'\S*/, `replace($&, 'admin', 'app')`)],
  ['with a comma join', (view) => view.replace(';', `, generate_series(1, 0) AS g`)],
  ['of a sample', (view) => view.replace(';', ' TABLESAMPLE bernoulli (0)')],
  ['with a condition', (view) => view.replace(';', ` WHERE records.subject <> 'x'`)],
  ['that locks', (view) => view.replace(';', ' FOR UPDATE SKIP LOCKED')],
  ['of another table', (view) => view.replace('rtv_audit.records', 'public.records')],
  [
    'of columns under other names',
    (view) =>
      view.replace('rtv_audit.records', 'rtv_audit.records records(id, action, sequence, hash, record, instance)'),
  ],
  ['that looks for a text with a blank', (view) => view.replace(`'user'`, `'user '`)],
  ['that looks for a text with brackets', (view) => view.replace(`'user'`, `'(user)'`)],
  ['that looks for a text with quotes', (view) => view.replace(`'user'`, `'"user"'`)],
  ['that looks for a text with the name of the table', (view) => view.replace(`'user'`, `'records.user'`)],
  ['that looks for a text on several lines', (view) => view.replace(`'user'`, `'records\n.\nuser'`)],
  ['that shows another member', (view) => view.replace(`'user'`, `'issuer'`)],
  ['with a function of the same name', (view) => view.replace('encode(', 'records.encode(')],
  ['with a function in the place of a column', (view) => view.replace('records.hash,', 'records.hash(),')],
  ['with a type of the same name', (view) => view.replace(')::bigint', ')::records.bigint')],
  ['with an operator of the same name', (view) => view.replace(`->> 'user'`, `OPERATOR(records.->>) 'user'`)],
];

/** Names that could pass for those of the table and its columns. */
const OTHERS = `CREATE TABLE public.records AS SELECT * FROM rtv_audit.records; CREATE SCHEMA records;
  CREATE FUNCTION records.encode(bytea, text) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
  CREATE FUNCTION records.hash() RETURNS bytea LANGUAGE sql AS $$ SELECT 'x'::bytea $$;
  CREATE DOMAIN records.bigint AS pg_catalog.int8;
  CREATE FUNCTION records.member(json, text) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
  CREATE OPERATOR records.->> (LEFTARG = json, RIGHTARG = text, FUNCTION = records.member)`;

test('a view that was changed is told, whatever was changed, and as newer servers write it too', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  await openPostgresTrail(t, config);
  const reader = await postgresReader(t, config);
  await server.query(database, OTHERS);
  const made = String((await server.query(database, DEFINITION))[0]?.['text']);
  for (const [name, change] of CHANGES) {
    await t.test(name, async () => {
      assert.notEqual(change(made), made);
      await server.query(database, `DROP VIEW rtv_audit.events; CREATE VIEW rtv_audit.events AS ${change(made)}`);
      assert.deepEqual(await reader.faults(), ['the view rtv_audit.events is not as the service made it']);
      const text = String((await server.query(database, DEFINITION))[0]?.['text']);
      assert.equal(isEventsView(asNewerServers(text)), false);
    });
  }
  await server.query(database, `DROP VIEW rtv_audit.events; CREATE VIEW rtv_audit.events AS ${made}`);
  assert.deepEqual(await reader.faults(), []);
});

test('columns under each other’s names are told', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  await openPostgresTrail(t, config);
  await server.query(
    database,
    `ALTER VIEW rtv_audit.events RENAME COLUMN issuer TO other; ALTER VIEW rtv_audit.events RENAME COLUMN subject TO issuer;
     ALTER VIEW rtv_audit.events RENAME COLUMN other TO subject`,
  );
  const faults = await (await postgresReader(t, config)).faults();
  assert.deepEqual(faults, ['the view rtv_audit.events is not as the service made it']);
});

test('the documented query tells which logins would change if observing grants were enforced, by the index of these', async (t) => {
  const database = await server.createDatabase();
  const trail = await openPostgresTrail(t, server.storeConfig(database));
  await trail.add(...OBSERVED_RECORDS);
  const query = documentedQuery('reading-the-audit.md', 'postgres-observed');
  assert.deepEqual((await server.query(database, query)).map(changedLogin), CHANGED_LOGINS);
  // Of so few records it would read all.
  await server.query(database, `ALTER DATABASE ${database} SET enable_seqscan = off`);
  const plan = JSON.stringify(await server.query(database, `EXPLAIN ${query}`));
  assert.match(plan, / on records_default_id_idx/);
  assert.doesNotMatch(plan, /_pkey/);
});

describe('the view is as it was made', () => {
  test('on a server that quotes all names', async (t) => {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    await openPostgresTrail(t, config);
    await server.query(database, `ALTER DATABASE ${database} SET quote_all_identifiers = on`);
    assert.match(String((await server.query(database, DEFINITION))[0]?.['text']), /"rtv_audit"\."records"/);
    assert.deepEqual(await (await postgresReader(t, config)).faults(), []);
  });

  test('in the words of servers that leave out the name of the only table', async (t) => {
    const database = await server.createDatabase();
    await openPostgresTrail(t, server.storeConfig(database));
    const text = asNewerServers(String((await server.query(database, DEFINITION))[0]?.['text']));
    assert.match(text, /^ SELECT id,\s+\(?\(?\(?record ->> 'time'::text\)/);
    assert.equal(isEventsView(text), true);
  });
});

/** PostgreSQL 16 and later write no table before a column where there is one table. */
function asNewerServers(view: string): string {
  return view.replaceAll(/(?<![.:'\w])records\.(?=(?:id|instance|sequence|hash|record|observed)\b(?!\())/g, '');
}
