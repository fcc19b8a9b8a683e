import { firstAuditIdAt } from '../../issuance/audit-id.ts';
import { type Query, sqlStateOf } from './connection.ts';
import { LOCK_CLASS, LOCKS } from './schema.ts';

/** A table of records. */
export type Partition = {
  /** As SQL names it. */
  readonly table: string;
  /** Its first id, and the first behind it; null for the default one, and for any that is not one of ours. */
  readonly range: { readonly from: string; readonly to: string } | null;
};

const DAY = 86_400_000;

/** Days that are there before they begin. */
const DAYS_AHEAD = 2;

/** Whoever reads delays the making and the removing of a partition, and is never kept waiting longer. Milliseconds. */
const LOCK_TIMEOUT = 100;
const LOCK_NOT_AVAILABLE = '55P03';

/** The partitions, oldest first; those without a range are the last. */
export async function listPartitions(query: Query): Promise<readonly Partition[]> {
  const rows = await query({
    text: `SELECT format('%I.%I', nspname, relname) AS "table", CASE nspname WHEN 'rtv_audit' THEN relname END AS name
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE inhparent = 'rtv_audit.records'::regclass`,
  });
  const partitions = rows.map(({ table, name }) => ({ table: String(table), range: rangeIn(String(name)) }));
  const place = ({ range, table }: Partition) => range?.from ?? `z${table}`;
  return partitions.sort((one, other) => (place(one) < place(other) ? -1 : 1));
}

function nameOf(day: number): string {
  return `records_${new Date(day * DAY).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

function rangeIn(name: string): Partition['range'] {
  const [, year, month, date] = /^records_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return year === undefined ? null : rangeOf(Date.parse(`${year}-${month}-${date}T00:00:00Z`) / DAY);
}

function rangeOf(day: number): { readonly from: string; readonly to: string } {
  return { from: firstAuditIdAt(day * DAY), to: firstAuditIdAt((day + 1) * DAY) };
}

/**
 * Makes the partitions of the days around `now` that are missing. A day of which the default partition already has
 * records, because some clock was wrong, stays there: records are taken and found there as everywhere.
 */
export async function addPartitions(query: Query, partitions: readonly Partition[], now: number): Promise<void> {
  const today = Math.floor(now / DAY);
  const there = new Set(partitions.map(({ range }) => range?.from));
  for (let day = today - 1; day <= today + DAYS_AHEAD; day += 1) {
    if (!there.has(rangeOf(day).from)) await addDay(query, day);
  }
}

async function addDay(query: Query, day: number): Promise<void> {
  const name = nameOf(day);
  const { from, to } = rangeOf(day);
  // One text is one transaction. ATTACH lets others write meanwhile, which PARTITION OF would not.
  await query({
    text: `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
      SELECT pg_advisory_xact_lock(${LOCK_CLASS}, ${LOCKS.partitions});
      DO $do$ BEGIN
        IF to_regclass('rtv_audit.${name}') IS NULL
          AND NOT EXISTS (SELECT FROM rtv_audit.records_default WHERE id >= '${from}' AND id < '${to}')
        THEN
          CREATE TABLE rtv_audit.${name} (LIKE rtv_audit.records INCLUDING ALL);
          ALTER TABLE rtv_audit.records ATTACH PARTITION rtv_audit.${name} FOR VALUES FROM ('${from}') TO ('${to}');
        END IF;
      END $do$`,
  });
}

/**
 * Drops the partitions that end at the id `before` or earlier and are empty. When somebody reads one it stops: those stay
 * until the next time. True when it stopped at `end`, a time of `performance.now()`, and more are left.
 */
export async function dropEmptyPartitions(
  query: Query,
  partitions: readonly Partition[],
  before: string,
  end: number,
): Promise<boolean> {
  for (const { table, range } of partitions) {
    if (range === null || range.to > before) continue;
    if (performance.now() >= end) return true;
    // Through the index, which remembers the removed records that it met: a second look is faster.
    const left = await query({ text: `SELECT id FROM ${table} ORDER BY id LIMIT 1` });
    if (left.length === 0 && !(await dropEmpty(query, table))) return false;
  }
  return false;
}

/** False when the lock could not be had: everybody waits behind whoever waits for it. */
async function dropEmpty(query: Query, table: string): Promise<boolean> {
  try {
    await query({
      text: `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
        LOCK TABLE ONLY rtv_audit.records IN ACCESS EXCLUSIVE MODE;
        DO $do$ BEGIN IF NOT EXISTS (SELECT FROM ${table}) THEN DROP TABLE ${table}; END IF; END $do$`,
    });
    return true;
  } catch (error) {
    if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}
