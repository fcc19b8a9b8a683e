import type { StoreReader } from '../store.ts';
import { publishedLine } from '../../issuance/published-record.ts';
import { createChainRecords } from './chain-records.ts';
import { createChains } from './chains.ts';
import { type Connection, connect, type PostgresConfig, type Query } from './connection.ts';
import { countRecords, findFaults } from './inspect.ts';
import { requireTables } from './migrate.ts';
import { readPage } from './page.ts';
import { listPartitions } from './partitions.ts';
import { createPool } from './pool.ts';
import { STORED_COLUMNS, storedRecordOf } from './stored-record.ts';

const MOST_CONNECTIONS = 4;
/** Milliseconds. */
const CONNECT_TIMEOUT = 2_000;
/** Of the server; the client's own is a little longer. Milliseconds. */
const STATEMENT_TIMEOUT = 5_000;

const SETTINGS = [
  'default_transaction_read_only=on',
  `statement_timeout=${STATEMENT_TIMEOUT}`,
  'search_path=pg_catalog,pg_temp',
  // A backslash in a name must not end a text.
  'standard_conforming_strings=on',
  // A policy that hides rows is then an error.
  'row_security=off',
  // The indexes have the order that is asked for. Sorting a day's records for a page of them is never right.
  'enable_sort=off',
  'enable_incremental_sort=off',
  // Their start costs more than a page.
  'jit=off',
  // The planner would hold the rule of every partition (src/audit/postgres/schema.ts) against each page, which is most of
  // the time of a page, and finds nothing: partitions are left out by their bounds.
  'constraint_exclusion=off',
  'max_parallel_workers_per_gather=0',
];

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads what all instances wrote; a standby of the database will do. Rejects with an `Error` that says what is wrong. */
export async function openPostgresReader(config: PostgresConfig): Promise<StoreReader> {
  const { query, close } = createPool(() => openConnection(config), MOST_CONNECTIONS);
  const partitions = () => listPartitions(query);
  const chainRecords = createChainRecords(query, STORED_COLUMNS, partitions);
  try {
    await query({ text: 'SELECT 1' });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async page(asked) {
      return await readPage(query, await partitions(), asked);
    },
    async get(id) {
      if (!ID.test(id)) return null;
      const text = `SELECT record::text, encode(hash, 'hex') AS hash FROM rtv_audit.records WHERE id = $1`;
      const [row] = await query({ text, values: [id] });
      return row === undefined ? null : publishedLine(String(row['record']), String(row['hash']));
    },
    chains: createChains(query, partitions),
    async records(instance, after, limit) {
      return (await chainRecords.after(instance, after, limit)).map(storedRecordOf);
    },
    async checkpoints(instance, after, limit) {
      const text = `SELECT size, note FROM rtv_audit.checkpoints WHERE instance = $1 AND size > $2 ORDER BY size LIMIT $3`;
      const rows = await query({ text, values: [instance, after, limit] });
      return rows.map(({ size, note }) => ({ size: Number(size), note: String(note) }));
    },
    async count(instance, after, upTo) {
      return await countRecords(query, await partitions(), instance, after, upTo);
    },
    faults: () => findFaults(query),
    close,
  };
}

async function openConnection(config: PostgresConfig): Promise<Connection> {
  const opened = await connect(config, {
    connectTimeout: CONNECT_TIMEOUT,
    queryTimeout: STATEMENT_TIMEOUT + 1_000,
    settings: SETTINGS,
  });
  try {
    await refuseViews(opened.query);
    await requireTables(opened.query, 'there are no audit tables in this database');
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Whoever owns the tables may put a view in the place of one after they were looked at: whoever reads must not run its
 * functions. Servers have the setting since August 2024 (13.16, 14.13, 15.8, 16.4, 17).
 */
async function refuseViews(query: Query): Promise<void> {
  const text = `SELECT set_config(name, 'view,foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'`;
  await query({ text });
}
