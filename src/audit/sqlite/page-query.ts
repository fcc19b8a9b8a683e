import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type AuditFilter, type AuditQuery, UnknownCursor } from '../../issuance/audit-query.ts';
import type { Row } from './read-record.ts';
import { FILTER_COLUMNS, POSITIONS, UNINDEXED } from './schema.ts';

/** Index entries looked at for one page. The rest of a search is for the next pages: no query holds the store long. */
const BUDGET = 8_000;
/** How far two indexes are compared for which is the shorter way. */
const COMPARED = 2_000;

/** SQL that holds for the records wanted, with the one value that it takes. */
type Condition = { readonly test: string; readonly value: SQLInputValue; readonly index: Index | null };
/** An index whose entries are in the order of records, and the condition of what it has. */
type Index = {
  readonly name: string;
  readonly test: string;
  readonly values: readonly SQLInputValue[];
  /** Whether each record in it meets the condition. */
  readonly answers: boolean;
};
type Range = { readonly from: number; readonly before: number };

/** Positions of one page, newest first, and where the next one begins. */
export type Positions = { readonly positions: readonly number[]; readonly next: string | null };

/** Finds the records of a page. `numberOf` is null for a text that no record has. */
export function findPositions(
  db: Pick<DatabaseSync, 'prepare'>,
  { filter, limit, cursor }: AuditQuery,
  numberOf: (text: string) => number | null,
): Positions {
  const range = rangeOf(filter, cursor);
  const conditions = conditionsOf(filter, numberOf);
  if (conditions === null || range.from >= range.before) return { positions: [], next: null };
  const way = shortestWay(db, conditions, range);
  const inner = `SELECT * FROM audit_records ${way === null ? 'NOT INDEXED' : `INDEXED BY ${way.name}`}
    WHERE position >= ? AND position < ?${way === null ? '' : ` AND ${way.test}`} ORDER BY position DESC`;
  const bound = [range.from, range.before, ...(way?.values ?? [])];
  const others = conditions.filter(({ index }) => index === null || index !== way || !index.answers);
  const where = others.map(({ test }) => test).join(' AND ') || 'true';
  const found = db
    .prepare(`SELECT position FROM (${inner} LIMIT ${BUDGET}) WHERE ${where} ORDER BY position DESC LIMIT ?`)
    .all(...bound, ...others.map(({ value }) => value), limit + 1)
    .map(positionIn);
  if (found.length > limit) return { positions: found.slice(0, limit), next: cursorOf(found[limit - 1]) };
  const end = db.prepare(`SELECT position FROM (${inner}) LIMIT 1 OFFSET ${BUDGET - 1}`).get(...bound);
  return { positions: found, next: end === undefined ? null : cursorOf(positionIn(end)) };
}

/** The index that has the fewest entries in the range, as far as they are compared. */
function shortestWay(db: Pick<DatabaseSync, 'prepare'>, conditions: readonly Condition[], range: Range): Index | null {
  let best: { readonly index: Index; readonly entries: number } | null = null;
  const indexes = conditions.flatMap(({ index }) => index ?? []);
  for (const index of indexes) {
    if (indexes.length === 1) return index;
    const counting = `SELECT count(*) AS entries FROM (SELECT 1 FROM audit_records INDEXED BY ${index.name}
      WHERE ${index.test} AND position >= ? AND position < ? LIMIT ${COMPARED})`;
    const entries = Number(db.prepare(counting).get(...index.values, range.from, range.before)?.['entries']);
    if (best === null || entries < best.entries) best = { index, entries };
  }
  return best?.index ?? null;
}

/** SQLite uses a partial index only where the query repeats its condition. */
function partial(column: string): string {
  const leftOut = UNINDEXED[column];
  return leftOut === undefined ? '' : ` AND ${column} <> ${leftOut}`;
}

/** A list that somebody changed to no JSON has no names: no page fails for it. */
const NAMED = `EXISTS (SELECT 1 FROM audit_texts AS list, json_each(iif(json_valid(list.text), list.text, '[]')) AS name
  WHERE list.id = observed AND name.value = ?)`;
const OBSERVED: Index = { name: 'audit_by_observed', test: 'observed IS NOT NULL', values: [], answers: false };

function conditionsOf(filter: AuditFilter, numberOf: (text: string) => number | null): Condition[] | null {
  const conditions: Condition[] = [];
  for (const [name, column] of Object.entries(FILTER_COLUMNS)) {
    const text = textIn(filter, name);
    if (text === undefined) continue;
    const number = numberOf(text);
    if (number === null) return null;
    // By the number, as the index is: texts could be given other numbers.
    const test = `${column} = ?`;
    const index = { name: `audit_by_${column}`, test: test + partial(column), values: [number], answers: true };
    conditions.push({ test, value: number, index: UNINDEXED[column] === number ? null : index });
  }
  const { observed, tokenFingerprint } = filter;
  if (observed !== undefined) conditions.push({ test: NAMED, value: observed, index: OBSERVED });
  if (tokenFingerprint !== undefined) {
    conditions.push({ test: 'token_fingerprint = ?', value: Buffer.from(tokenFingerprint, 'hex'), index: null });
  }
  return conditions;
}

function textIn(filter: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = filter[name];
  return typeof value === 'string' ? value : undefined;
}

function rangeOf({ from = 0, to }: AuditFilter, cursor: string | undefined): Range {
  const before = to === undefined ? Number.MAX_SAFE_INTEGER : to * POSITIONS;
  return { from: from * POSITIONS, before: cursor === undefined ? before : Math.min(before, positionAt(cursor)) };
}

function cursorOf(position: number | undefined): string | null {
  return position === undefined ? null : Buffer.from(`s${position}`).toString('base64url');
}

function positionAt(cursor: string): number {
  const [, digits] = /^s(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  const position = Number(digits);
  if (!Number.isSafeInteger(position) || cursorOf(position) !== cursor) throw new UnknownCursor();
  return position;
}

function positionIn(row: Row): number {
  return Number(row['position']);
}
