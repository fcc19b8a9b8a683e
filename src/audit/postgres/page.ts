import { firstAuditIdAt } from '../../issuance/audit-id.ts';
import { type AuditFilter, type AuditPage, type AuditQuery, UnknownCursor } from '../../issuance/audit-query.ts';
import { publishedLine } from '../../issuance/published-record.ts';
import { type Condition, conditionsOf, indexesFor } from './conditions.ts';
import type { Query, Row } from './connection.ts';
import { ALL_IDS, type IdRange, windowsDown } from './id-windows.ts';
import { depths, lookedAt, matches, restOf } from './page-statements.ts';
import type { Partition } from './partitions.ts';
import { textOrNull } from './values.ts';

/** Records that a page may pass over because they do not meet all conditions. */
const MOST_LOOKED_AT = 20_000;

/** Windows of partitions of one page: about 400 days. */
const MOST_WINDOWS = 16;

/** How far into each index is looked to find the one with the fewest records. */
const DEPTH = 2_000;

/** The newest records that a query asks for. It goes back in time window by window, and never far without a word. */
export async function readPage(query: Query, partitions: readonly Partition[], asked: AuditQuery): Promise<AuditPage> {
  const conditions = conditionsOf(asked.filter);
  const range = rangeOf(asked);
  if (range.from >= range.to) return { events: [], next: null };
  const found: Row[] = [];
  // One more tells whether there is a next page.
  const wanted = asked.limit + 1;
  let allowed = MOST_LOOKED_AT;
  let index: readonly Condition[] | null = null;
  let windows = 0;
  for (const window of windowsDown(partitions, range)) {
    if (windows === MOST_WINDOWS) return pageOf(found, asked.limit, window.to);
    windows += 1;
    index ??= await rarest(query, conditions, window);
    const rest = restOf(index, conditions);
    const missing = wanted - found.length;
    found.push(...(await query(matches(index, rest, window, missing, rest.length === 0 ? missing : allowed))));
    if (found.length === wanted) return pageOf(found, asked.limit, null);
    if (rest.length === 0) continue;
    const [looked] = await query(lookedAt(index, window, allowed));
    const count = Number(looked?.['count']);
    allowed -= count;
    if (allowed <= 0) return pageOf(found, asked.limit, earlierOf(found, String(looked?.['last'])));
    // One that had some, and few, is good for the next window too.
    if (count === 0 || count >= DEPTH) index = null;
  }
  return pageOf(found, asked.limit, null);
}

/** Records that came between two statements have moved the end of what was looked at: no row is given twice for that. */
function earlierOf(rows: readonly Row[], id: string): string {
  const last = textOrNull(rows.at(-1)?.['id']) ?? id;
  return last < id ? last : id;
}

/** `next` is where it goes on when there are no more rows than asked for. */
function pageOf(rows: readonly Row[], limit: number, next: string | null): AuditPage {
  const taken = rows.slice(0, limit);
  const last = taken.at(-1)?.['id'];
  const more = rows.length > limit ? String(last) : next;
  return {
    events: taken.map(({ record, hash }) => publishedLine(String(record), String(hash))),
    next: more === null ? null : cursorOf(more),
  };
}

/** The index that reaches furthest back for the same number of records: the fewest of them are looked at in vain. */
async function rarest(query: Query, conditions: readonly Condition[], window: IdRange): Promise<readonly Condition[]> {
  const indexes = indexesFor(conditions);
  const [only = []] = indexes;
  if (indexes.length < 2) return only;
  const [row = {}] = await query(depths(indexes, window, DEPTH));
  const reached = indexes.map((index, at) => ({ index, id: textOrNull(row[`c${at}`]) ?? '' }));
  return reached.reduce((best, each) => (each.id < best.id ? each : best)).index;
}

function rangeOf({ filter, cursor }: AuditQuery): IdRange {
  const { from, to } = timesOf(filter);
  const before = cursor === undefined ? ALL_IDS.to : idOf(cursor);
  return { from, to: before < to ? before : to };
}

function timesOf({ from, to }: AuditFilter): IdRange {
  return {
    from: from === undefined ? ALL_IDS.from : idAt(from),
    to: to === undefined ? ALL_IDS.to : idAt(to),
  };
}

/** Times of UUIDv7 have 48 bits. */
const MOST_TIME = 2 ** 48 - 1;

function idAt(time: number): string {
  return firstAuditIdAt(Math.min(Math.max(Math.ceil(time), 0), MOST_TIME));
}

/** Pages end before an id: the cursor is this id. */
function cursorOf(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

/** @throws {UnknownCursor} */
function idOf(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (id.length !== 36 || cursorOf(id) !== cursor) throw new UnknownCursor();
  return id;
}
