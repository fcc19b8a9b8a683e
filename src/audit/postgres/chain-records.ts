import { type Query, type Row, sqlStateOf } from './connection.ts';
import { MOST_PARTITIONS } from './id-windows.ts';
import type { Partition } from './partitions.ts';

/** Instances whose spans are remembered. */
const MOST_INSTANCES = 20;

const UNDEFINED_TABLE = '42P01';

/** Which sequence numbers of an instance a partition holds. */
type Span = { readonly table: string; readonly first: number; readonly last: number };

/** What a walk through an instance's records knows of them, and between which numbers its last page was. */
type Walk = { readonly spans: readonly Span[]; readonly from: number; readonly reached: number };

/** Reads an instance's records in the order of their sequence numbers. */
export type ChainRecords = {
  /** All records behind `after`, at most `limit`; `columns` are those of `records` that are asked for, `sequence` among them. */
  after(instance: string, after: number, limit: number): Promise<readonly Row[]>;
};

/**
 * Records lie in partitions by time, and asking all of them for each page would take a lock for every one. So it is
 * remembered which of them hold which sequence numbers, from page to page of one walk. When a page is not what an intact
 * chain would give it is looked up again, and what is returned is what is there.
 */
export function createChainRecords(
  query: Query,
  columns: string,
  partitions: () => Promise<readonly Partition[]>,
): ChainRecords {
  const walks = new Map<string, Walk>();

  async function lookUp(instance: string): Promise<readonly Span[]> {
    const tables = (await partitions()).map(({ table }) => table);
    const found: Span[] = [];
    for (let at = 0; at < tables.length; at += MOST_PARTITIONS) {
      const parts = tables.slice(at, at + MOST_PARTITIONS).map(
        // By number: the name of a partition is its maker's choice, and has no place in a text.
        (table, part) => `SELECT ${part} AS part,
          (SELECT min(sequence) FROM ${table} WHERE instance = $1) AS first, (SELECT max(sequence) FROM ${table} WHERE instance = $1) AS last`,
      );
      for (const { part, first, last } of await query({ text: parts.join(' UNION ALL '), values: [instance] })) {
        const table = tables[at + Number(part)];
        if (table !== undefined && first !== null) found.push({ table, first: Number(first), last: Number(last) });
      }
    }
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
      rows.push(...(await query({ text, values: [instance, after, to, limit + 1] })));
    }
    return cut(
      rows.sort((one, other) => sequenceOf(one) - sequenceOf(other)),
      limit,
    );
  }

  function remember(instance: string, spans: readonly Span[], rows: readonly Row[], after: number): void {
    walks.delete(instance);
    for (const oldest of walks.keys()) {
      if (walks.size < MOST_INSTANCES) break;
      walks.delete(oldest);
    }
    walks.set(instance, { spans, from: after, reached: sequenceOf(rows.at(-1)) || after });
  }

  async function next(instance: string, after: number, limit: number): Promise<Row[]> {
    const walk = walks.get(instance);
    // One that begins again looks again.
    if (walk !== undefined && after > walk.from && after <= walk.reached) {
      const rows = await read(walk.spans, instance, after, after + limit, limit);
      if (rows.length === limit && rows.every((row, at) => sequenceOf(row) === after + at + 1)) {
        remember(instance, walk.spans, rows, after);
        return rows;
      }
    }
    const spans = await lookUp(instance);
    const rows = await read(spans, instance, after, Number.MAX_SAFE_INTEGER, limit);
    remember(instance, spans, rows, after);
    return rows;
  }

  return {
    async after(instance, after, limit) {
      try {
        return await next(instance, after, limit);
      } catch (error) {
        // A partition was dropped since it was looked up.
        if (sqlStateOf(error) !== UNDEFINED_TABLE) throw error;
        walks.delete(instance);
        return await next(instance, after, limit);
      }
    },
  };
}

function sequenceOf(row: Row | undefined): number {
  return Number(row?.['sequence'] ?? 0);
}

/** Not between two records of one number, of which the second would be passed over by the next page. */
function cut(rows: Row[], limit: number): Row[] {
  const next = sequenceOf(rows[limit]);
  const whole = rows.slice(0, limit).filter((row) => sequenceOf(row) !== next);
  return whole.length > 0 ? whole : rows.slice(0, limit);
}
