import { type Query, sqlStateOf } from './connection.ts';
import { isEventsView } from './events-view.ts';
import { ALL_IDS, type IdRange, MOST_PARTITIONS, windowsDown } from './id-windows.ts';
import type { Partition } from './partitions.ts';
import { INDEXES } from './schema.ts';
import { foreignCode, foreignRules, rowSecurity, unloggedTables } from './table-checks.ts';

const QUERY_CANCELED = '57014';
const LEAST_BIGINT = '-9223372036854775808';

/** Counts an instance's records behind `after` (null: all) up to `upTo` in the table that pages are read from. */
export async function countRecords(
  query: Query,
  partitions: readonly Partition[],
  instance: string,
  after: number | null,
  upTo: number,
): Promise<number> {
  const last = Math.min(upTo, Number.MAX_SAFE_INTEGER);

  async function countIn({ from, to }: IdRange): Promise<number> {
    const text = `SELECT count(*) AS count FROM rtv_audit.records
      WHERE instance = $1 AND sequence > $2 AND sequence <= $3 AND id >= $4 AND id < $5`;
    const [row] = await query({ text, values: [instance, after ?? LEAST_BIGINT, last, from, to] });
    return Number(row?.['count']);
  }

  /** What takes too long together is counted day by day. */
  async function countAll(range: IdRange, size: number): Promise<number> {
    let sum = 0;
    for (const window of windowsDown(partitions, range, size, size)) {
      try {
        sum += await countIn(window);
      } catch (error) {
        if (size === 1 || sqlStateOf(error) !== QUERY_CANCELED) throw error;
        sum += await countAll(window, 1);
      }
    }
    return sum;
  }

  return await countAll(ALL_IDS, MOST_PARTITIONS);
}

/**
 * What is not as the migrations made it and could hide records from pages or from people who ask the server, or show them
 * where they do not belong. A reader whom row-level security is for is refused rather than shown a part; it does not hold
 * for the tables' owner.
 */
export async function findFaults(query: Query): Promise<readonly string[]> {
  return [
    ...(await foreignCode(query)),
    ...(await unloggedTables(query)),
    ...(await foreignRules(query)),
    ...(await rowSecurity(query)),
    ...(await untiedTables(query)),
    ...(await foreignTriggers(query)),
    ...(await lostIndexes(query)),
    ...(await changedView(query)),
  ];
}

async function untiedTables(query: Query): Promise<string[]> {
  const rows = await query({
    text: `SELECT part.oid::regclass::text AS "table" FROM pg_class AS part
      WHERE (part.oid = to_regclass('rtv_audit.records')
          OR part.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('rtv_audit.records')))
        AND NOT EXISTS (SELECT FROM pg_constraint
          WHERE conrelid = part.oid AND contype = 'c' AND conname = 'columns_as_recorded' AND convalidated)
      ORDER BY 1`,
  });
  return rows.map(
    ({ table }) => `${String(table)} has lost the rule that ties what records are found by to what they say`,
  );
}

async function foreignTriggers(query: Query): Promise<string[]> {
  const rows = await query({
    text: `SELECT tgname AS name, tgrelid::regclass::text AS "table" FROM pg_trigger
      JOIN pg_class ON pg_class.oid = tgrelid
      WHERE relnamespace = to_regnamespace('rtv_audit') AND NOT tgisinternal ORDER BY 1, 2`,
  });
  return rows.map(
    ({ name, table }) => `${String(table)} has the trigger ${String(name)}, which the service did not make`,
  );
}

async function lostIndexes(query: Query): Promise<string[]> {
  const rows = await query({
    text: `SELECT name FROM unnest($1::text[]) AS name
      WHERE NOT EXISTS (SELECT FROM pg_index
        WHERE indexrelid = to_regclass('rtv_audit.' || name) AND indrelid = to_regclass('rtv_audit.records')
          AND indisvalid AND CASE WHEN name = 'records_observed'
            THEN replace(pg_get_expr(indpred, indrelid), '"observed"', 'observed') = '(observed IS NOT NULL)'
            ELSE indpred IS NULL END)`,
    values: [INDEXES],
  });
  return rows.map(({ name }) => `the index rtv_audit.${String(name)} is not as the service made it`);
}

async function changedView(query: Query): Promise<string[]> {
  const [row] = await query({
    text: `SELECT relkind, pg_get_viewdef(oid) AS text FROM pg_class WHERE oid = to_regclass('rtv_audit.events')`,
  });
  if (row?.['relkind'] === 'v' && isEventsView(String(row['text']))) return [];
  return ['the view rtv_audit.events is not as the service made it'];
}
