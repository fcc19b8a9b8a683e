import type { Query } from './connection.ts';
import { FIRST_VERSION, LOCK_CLASS, LOCKS, MIGRATIONS, TABLES } from './schema.ts';
import { foreignCode, unloggedTables } from './table-checks.ts';

/** How long a start waits for another replica that makes the tables. Milliseconds. */
const LOCK_TIMEOUT = 10_000;

const PRESENT = FIRST_VERSION + MIGRATIONS.length;

/**
 * Rejects when the tables are not as this program knows them: of another version, with somebody's code in them, emptied by
 * a crash, or not there, for which it says `missing`.
 */
export async function requireTables(query: Query, missing: string): Promise<void> {
  const version = await schemaVersion(query);
  if (version === null || (await areMissing(query))) throw new Error(missing);
  refuseForeign(version);
  if (version < PRESENT)
    throw new Error(`its tables are of version ${version}: start the service once, which brings them to ${PRESENT}`);
  const unlogged = await unloggedTables(query);
  if (unlogged.length > 0) throw new Error(`no audit table may be missing or unlogged: ${unlogged.join('; ')}`);
}

/** Brings an empty or older schema to the present version, once, however many replicas start at the same time. */
export async function migrate(query: Query): Promise<void> {
  const before = await schemaVersion(query);
  if (before !== null) refuseForeign(before);
  if (before === PRESENT) return await requireTables(query, 'some of its tables are missing');
  await query({ text: 'BEGIN' });
  await query({
    text: `SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '${LOCK_TIMEOUT}', true)`,
  });
  await query({ text: `SELECT pg_advisory_xact_lock(${LOCK_CLASS}, ${LOCKS.migrate})` }, LOCK_TIMEOUT);
  const version = await versionUnderLock(query);
  refuseForeign(version);
  for (const [index, step] of MIGRATIONS.entries()) {
    const next = FIRST_VERSION + index + 1;
    if (next <= version) continue;
    await query({ text: step }, LOCK_TIMEOUT);
    await query({ text: 'INSERT INTO rtv_audit.migrations (version) VALUES ($1)', values: [next] });
  }
  await query({ text: 'COMMIT' }, LOCK_TIMEOUT);
}

async function versionUnderLock(query: Query): Promise<number> {
  // An operator may have made the schema for a user who may not: then CREATE SCHEMA IF NOT EXISTS would be refused too.
  const [row] = await query({ text: `SELECT to_regnamespace('rtv_audit') IS NULL AS missing` });
  if (row?.['missing'] === true) await query({ text: 'CREATE SCHEMA rtv_audit' });
  await query({
    text: `CREATE TABLE IF NOT EXISTS rtv_audit.migrations (
      version integer NOT NULL PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
  });
  return (await schemaVersion(query)) ?? 0;
}

/** null when nothing was ever made. Nothing is read from any of the tables before it is known that this runs no code. */
async function schemaVersion(query: Query): Promise<number | null> {
  const [row] = await query({ text: `SELECT to_regclass('rtv_audit.migrations') IS NULL AS missing` });
  if (row?.['missing'] !== false) return null;
  const foreign = await foreignCode(query);
  if (foreign.length > 0) throw new Error(`its tables are not those of the service: ${foreign.join('; ')}`);
  const [newest] = await query({ text: 'SELECT coalesce(max(version), 0) AS version FROM rtv_audit.migrations' });
  return Number(newest?.['version']);
}

function refuseForeign(version: number): void {
  if (version > 0 && version <= FIRST_VERSION) {
    throw new Error(
      'its tables were made by a program that was never released: keep them elsewhere and begin in an empty database',
    );
  }
  if (version <= PRESENT) return;
  throw new Error(
    `its tables are of version ${version} and this program knows versions up to ${PRESENT}: ` +
      'run the newer rds-token-vendor that made them',
  );
}

async function areMissing(query: Query): Promise<boolean> {
  const [row] = await query({
    text: `SELECT count(*)::int AS there FROM unnest($1::text[]) AS name
      WHERE to_regclass('rtv_audit.' || name) IS NOT NULL`,
    values: [TABLES],
  });
  return row?.['there'] !== TABLES.length;
}
