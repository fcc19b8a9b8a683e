import { hash } from 'node:crypto';
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
  // A policy that hides rows is then an error.
  'row_security=off',
  // The indexes have the order that is asked for. Sorting a day's records for a page of them is never right.
  'enable_sort=off',
  'enable_incremental_sort=off',
  // Their start costs more than a page.
  'jit=off',
  'max_parallel_workers_per_gather=0',
];

/**
 * Planning a page costs half a millisecond for each partition, running it a few. Up to so many partitions a plan is made
 * once for a connection and a kind of page; while it is made, it locks all of them with all of their indexes, of which a
 * server has room for 6,400.
 */
const MOST_PLANNED = 100;
const PLANNED_SETTINGS = [...SETTINGS, 'plan_cache_mode=force_generic_plan'];

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads what all instances wrote; a standby of the database will do. Rejects with an `Error` that says what is wrong. */
export async function openPostgresReader(config: PostgresConfig): Promise<StoreReader> {
  const { query, close } = createPool(() => openConnection(config, SETTINGS), MOST_CONNECTIONS);
  const planning = createPool(() => openConnection(config, PLANNED_SETTINGS), MOST_CONNECTIONS);
  const planned: Query = (statement, timeout) =>
    planning.query({ ...statement, name: hash('sha256', statement.text).slice(0, 40) }, timeout);
  const partitions = () => listPartitions(query);
  const chainRecords = createChainRecords(query, STORED_COLUMNS, partitions);
  try {
    await requireTables(query, 'there are no audit tables in this database');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async page(asked) {
      const days = await partitions();
      return await readPage(days.length > MOST_PLANNED ? query : planned, days, asked);
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
    async close() {
      await Promise.all([close(), planning.close()]);
    },
  };
}

function openConnection(config: PostgresConfig, settings: readonly string[]): Promise<Connection> {
  return connect(config, {
    connectTimeout: CONNECT_TIMEOUT,
    queryTimeout: STATEMENT_TIMEOUT + 1_000,
    settings,
  });
}
