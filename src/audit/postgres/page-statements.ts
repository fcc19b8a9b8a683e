import { columnValue, type Condition, createParameters, exactly, isCut, type Parameters } from './conditions.ts';
import type { Statement } from './connection.ts';
import type { IdRange } from './id-windows.ts';

/**
 * An index and how it is gone through, newest first. Comparing rows with an order of all its columns leaves the planner no
 * other one: by its estimates it may take the index of ids instead and pass over every record that does not match.
 */
type Walk = { readonly where: string; readonly order: string };

function walk(index: readonly Condition[], { from, to }: IdRange, parameters: Parameters): Walk {
  const [low, high] = [parameters.add(from), parameters.add(to)];
  // The bounds of the id alone are what partitions are told apart by.
  const ids = `id >= ${low}::uuid AND id < ${high}::uuid`;
  if (index.length === 0) return { where: ids, order: 'id DESC' };
  const columns = index.map(({ column }) => column);
  const values = index.map((each) => `${parameters.add(columnValue(each))}::text COLLATE "C"`).join(', ');
  const key = `(${columns.join(', ')}, id)`;
  return {
    where: `${ids} AND ${key} >= (${values}, ${low}::uuid) AND ${key} < (${values}, ${high}::uuid)`,
    order: `${columns.map((column) => `${column} DESC`).join(', ')}, id DESC`,
  };
}

/**
 * The newest records of a window that meet the conditions of `rest` too, at most `limit`, among the first `most` of the index. The outer
 * part takes them in the order in which the inner one gives them, and stops it when it has enough.
 */
export function matches(
  index: readonly Condition[],
  rest: readonly Condition[],
  range: IdRange,
  limit: number,
  most: number,
): Statement {
  const parameters = createParameters();
  const { where, order } = walk(index, range, parameters);
  const conditions = rest.map((each) => exactly(each, parameters));
  const text = `SELECT id, record::text, encode(hash, 'hex') AS hash FROM (
      SELECT * FROM rtv_audit.records WHERE ${where} ORDER BY ${order} LIMIT ${parameters.add(most)}
    ) AS looked ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} LIMIT ${parameters.add(limit)}`;
  return { text, values: parameters.values };
}

/** How many records of the window the index has, at most `most`, and the last of them. */
export function lookedAt(index: readonly Condition[], range: IdRange, most: number): Statement {
  const parameters = createParameters();
  const { where, order } = walk(index, range, parameters);
  const text = `SELECT count(*)::int AS count, min(id::text COLLATE "C") AS last FROM (
      SELECT id FROM rtv_audit.records WHERE ${where} ORDER BY ${order} LIMIT ${parameters.add(most)}
    ) AS looked`;
  return { text, values: parameters.values };
}

/** The id of the `nth` record of each index in the window, in columns `c0`, `c1` and so on; null where there are fewer. */
export function depths(indexes: readonly (readonly Condition[])[], range: IdRange, nth: number): Statement {
  const parameters = createParameters();
  const columns = indexes.map((index, at) => {
    const { where, order } = walk(index, range, parameters);
    return `(SELECT id FROM rtv_audit.records WHERE ${where} ORDER BY ${order} OFFSET ${nth - 1} LIMIT 1) AS c${at}`;
  });
  return { text: `SELECT ${columns.join(', ')}`, values: parameters.values };
}

/** The conditions that an index does not answer by itself. */
export function restOf(index: readonly Condition[], conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter((each) => !index.includes(each) || isCut(each.value));
}
