import { Passing, type Store } from '../store.ts';
import { commitRecords } from './commit.ts';
import { type Connection, connect, type PostgresConfig, type Query, sqlStateOf } from './connection.ts';
import { readHead } from './heads.ts';
import { migrate, requireTables } from './migrate.ts';
import { addPartitions, listPartitions } from './partitions.ts';
import { createRetirement } from './retire.ts';
import { requireDurableServer } from './server-checks.ts';
import { unloggedTables } from './table-checks.ts';

/** With the second that a record may take there is time for one answer only. Milliseconds. */
const TIMEOUT = 700;

/** Locks that were not had in time, a full disk, too many connections (PostgreSQL, appendix A). */
const PASSING = /^(?:55P03|57014|53\d{3})$/;

/** The store of many replicas: a PostgreSQL database, in a schema of its own. Each instance writes a chain of its own. */
export function createPostgresStore(config: PostgresConfig, instance: string): Store {
  let connection: Connection | null = null;
  const retirement = createRetirement();

  async function openConnection(create: boolean): Promise<Connection> {
    const opened = await connect(config, { connectTimeout: TIMEOUT, queryTimeout: TIMEOUT });
    try {
      await requireDurableServer(opened.query);
      if (create) await migrate(opened.query);
      else await requireTables(opened.query, 'the audit tables were removed while in use');
      await prepareDays(opened);
      await probe(opened.write);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** A connection that broke while idle is replaced before anything is asked of it: nobody need hear of it. */
  async function live(): Promise<Connection> {
    if (connection === null) throw new Error('it is not open');
    if (connection.isAlive()) return connection;
    await connection.close();
    return (connection = await openConnection(false));
  }

  return {
    async open(create) {
      await connection?.close();
      connection = null;
      connection = await openConnection(create);
    },
    async head() {
      const { query } = await live();
      return await passing(readHead(query, instance));
    },
    async commit(commit) {
      const { write } = await live();
      await passing(commitRecords(write, instance, commit));
    },
    async keep(size, checkpoint) {
      const { write } = await live();
      // One of that size that is there already stays: it may be what is left of records that were taken away.
      const text =
        'INSERT INTO rtv_audit.checkpoints (instance, size, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
      await passing(write({ text, values: [instance, size, checkpoint] }));
    },
    async probe() {
      const { write } = await live();
      await passing(probe(write));
    },
    freeBytes: () => null,
    async tidy(retireBefore) {
      if (connection?.isAlive() !== true) return false;
      const unlogged = await unloggedTables(connection.query);
      if (unlogged.length > 0) {
        // Nothing is written before it opens again, and that is refused for the same reason.
        await connection.close();
        throw new Error(unlogged.join('; '));
      }
      const partitions = await listPartitions(connection.query);
      await addPartitions(connection.query, partitions, Date.now());
      return retireBefore !== null && (await retirement.slice(connection.query, partitions, retireBefore));
    },
    async close() {
      const closing = connection;
      connection = null;
      await closing?.close();
    },
  };
}

/** Not worth a refusal: records of a day without a partition are in the default one. `tidy` tries again, and tells. */
async function prepareDays({ query, isAlive }: Connection): Promise<void> {
  try {
    await addPartitions(query, await listPartitions(query), Date.now());
  } catch (error) {
    if (!isAlive()) throw error;
  }
}

async function probe(write: Query): Promise<void> {
  const rows = await write({ text: 'UPDATE rtv_audit.probe SET time = clock_timestamp() RETURNING one' });
  if (rows.length !== 1) throw new Error('the audit tables were emptied while in use');
}

async function passing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && PASSING.test(sqlStateOf(error) ?? ''))
      throw new Passing(error.message, { cause: error });
    throw error;
  }
}
