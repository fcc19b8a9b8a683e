import { type Query, type Row, sqlStateOf } from './connection.ts';
import { MOST_PARTITIONS } from './id-windows.ts';
import type { Partition } from './partitions.ts';

/** Instances whose spans are remembered. */
const MOST_INSTANCES = 20;

const UNDEFINED_TABLE = '42P01';

/** Which sequence numbers of an instance a partition holds. */
type Span = { readonly table: string; readonly first: number; readonly last: number };

/** Reads an instance's records in the order of their sequence numbers. */
export type ChainRecords = {
  /** All records behind `after`, at most `limit`; `columns` are those of `records` that are asked for, `sequence` among them. */
  after(instance: string, after: number, limit: number): Promise<readonly Row[]>;
};

/**
 * Records lie in partitions by time, and asking all of them for each page would take a lock for every one. So it is
 * remembered which of them hold which sequence numbers, until a page is not what an intact chain would give: then it is
 * looked up again, and what is returned is what is there.
 */
export function createChainRecords(
  query: Query,
  columns: string,
  partitions: () => Promise<readonly Partition[]>,
): ChainRecords {
  const spans = new Map<string, readonly Span[]>();

  async function lookUp(instance: string): Promise<readonly Span[]> {
    const tables = (await partitions()).map(({ table }) => table);
    const found: Span[] = [];
    for (let at = 0; at < tables.length; at += MOST_PARTITIONS) {
      const parts = tables.slice(at, at + MOST_PARTITIONS).map(
        (table) => `SELECT '${table.replaceAll("'", "''")}' AS "table",
          (SELECT min(sequence) FROM ${table} WHERE instance = $1) AS first, (SELECT max(sequence) FROM ${table} WHERE instance = $1) AS last`,
      );
      for (const { table, first, last } of await query({ text: parts.join(' UNION ALL '), values: [instance] })) {
        if (first !== null) found.push({ table: String(table), first: Number(first), last: Number(last) });
      }
    }
    for (const oldest of spans.keys()) {
      if (spans.size < MOST_INSTANCES) break;
      spans.delete(oldest);
    }
    spans.set(instance, found);
    return found;
  }

  async function read(
    known: readonly Span[],
    instance: string,
    after: number,
    to: number,
    limit: number,
  ): Promise<Row[]> {
    const rows: Row[] = [];
    for (const { table } of known.filter(({ first, last }) => first <= to && last > after)) {
      const text = `SELECT ${columns} FROM ${table}
        WHERE instance = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4`;
      rows.push(...(await query({ text, values: [instance, after, to, limit] })));
    }
    return rows.sort((one, other) => Number(one['sequence']) - Number(other['sequence'])).slice(0, limit);
  }

  async function afresh(instance: string, after: number, limit: number): Promise<Row[]> {
    return await read(await lookUp(instance), instance, after, Number.MAX_SAFE_INTEGER, limit);
  }

  return {
    async after(instance, after, limit) {
      try {
        const known = spans.get(instance);
        if (known !== undefined) {
          const rows = await read(known, instance, after, after + limit, limit);
          if (rows.length === limit && rows.every((row, at) => Number(row['sequence']) === after + at + 1)) return rows;
        }
        return await afresh(instance, after, limit);
      } catch (error) {
        // A partition was dropped since it was looked up.
        if (sqlStateOf(error) !== UNDEFINED_TABLE) throw error;
        return await afresh(instance, after, limit);
      }
    },
  };
}
