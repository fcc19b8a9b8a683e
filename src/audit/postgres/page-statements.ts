import { columnValue, type Condition, createParameters, exactly, isCut, type Parameters } from './conditions.ts';
import type { Statement } from './connection.ts';
import type { IdRange } from './id-windows.ts';

/**
 * SQL of the first `limit` records of a range in an index, newest first. Comparing rows with an order of all columns of the
 * index leaves the planner no other one: by its estimates it may take the index of ids instead, and pass over every record
 * that does not match.
 */
function inOrder(
  index: readonly Condition[],
  { from, to }: IdRange,
  columns: string,
  limit: number,
  parameters: Parameters,
): string {
  const [low, high] = [parameters.add(from), parameters.add(to)];
  // Partitions are told apart by the id alone.
  const ids = `id >= ${low}::uuid AND id < ${high}::uuid`;
  const keyed = index.filter(({ listed }) => !listed);
  const keys = keyed.map(({ column }) => column);
  const values = keyed.map((each) => `${parameters.add(columnValue(each))}::text COLLATE "C"`);
  const key = `(${[...keys, 'id'].join(', ')})`;
  const bound = (id: string) => `(${[...values, `${id}::uuid`].join(', ')})`;
  const lists = index.filter(({ listed }) => listed).map(({ column }) => ` AND ${column} IS NOT NULL`);
  const rows = keyed.length === 0 ? '' : ` AND ${key} >= ${bound(low)} AND ${key} < ${bound(high)}`;
  const where = [ids, ...lists, rows].join('');
  const order = [...keys, 'id'].map((column) => `${column} DESC`).join(', ');
  return `SELECT ${columns} FROM rtv_audit.records WHERE ${where} ORDER BY ${order} LIMIT ${parameters.add(limit)}`;
}

/**
 * The newest records of a range that meet the conditions of `rest` too, at most `limit`, among the first `most` of the
 * index. The outer part takes them in the order in which the inner one gives them, and stops it when it has enough.
 */
export function matches(
  index: readonly Condition[],
  rest: readonly Condition[],
  range: IdRange,
  limit: number,
  most: number,
): Statement {
  const parameters = createParameters();
  const inside = inOrder(index, range, '*', most, parameters);
  const conditions = rest.map((each) => exactly(each, parameters));
  const text = `SELECT id, record::text, encode(hash, 'hex') AS hash FROM (${inside}) AS looked
    ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} LIMIT ${parameters.add(limit)}`;
  return { text, values: parameters.values };
}

/** How many records of the range the index has, at most `most`, and the last of them. */
export function lookedAt(index: readonly Condition[], range: IdRange, most: number): Statement {
  const parameters = createParameters();
  const inside = inOrder(index, range, 'id', most, parameters);
  const text = `SELECT count(*)::int AS count, min(id::text COLLATE "C") AS last FROM (${inside}) AS looked`;
  return { text, values: parameters.values };
}

/** The id of the `nth` record of each index in the range, in columns `c0`, `c1` and so on; null where there are fewer. */
export function depths(indexes: readonly (readonly Condition[])[], range: IdRange, nth: number): Statement {
  const parameters = createParameters();
  const columns = indexes.map((index, at) => {
    const inside = inOrder(index, range, 'id', nth, parameters);
    return `(SELECT id FROM (${inside}) AS looked OFFSET ${nth - 1} LIMIT 1) AS c${at}`;
  });
  return { text: `SELECT ${columns.join(', ')}`, values: parameters.values };
}

/** The conditions that an index does not answer by itself. */
export function restOf(index: readonly Condition[], conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter((each) => !index.includes(each) || each.listed || isCut(each.value));
}
