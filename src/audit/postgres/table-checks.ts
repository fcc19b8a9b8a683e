import type { Query } from './connection.ts';
import { TABLES } from './schema.ts';

/** The tables that are there, and what takes part in them: partitions, and what somebody made to inherit from others. */
const OURS = `WITH named AS (
    SELECT oid, relname = 'records' AS parted FROM pg_class
    WHERE relnamespace = to_regnamespace('rtv_audit') AND relname = ANY ($1::text[])
  ), ours AS (
    SELECT oid, parted, false AS added FROM named
    UNION SELECT inhrelid, false, NOT parted FROM named JOIN pg_inherits ON inhparent = oid
  )`;

/**
 * Whose reading could run code of the tables' owner as whoever reads, a superuser who verifies perhaps; one sentence each.
 * Looks at nothing but the system's own tables, so it is asked before anything is read from ours.
 *
 * A view has functions, a foreign table its server. The planner computes constant parts of the expressions of indexes,
 * statistics and partition keys, and columns of types of the owner's have the owner's casts. All of these depend on a
 * function, an operator or a type; on the system's own the server notes no dependency.
 */
export async function foreignCode(query: Query): Promise<readonly string[]> {
  const kinds = await query({
    text: `${OURS} SELECT oid::regclass::text AS "table", parted FROM ours JOIN pg_class USING (oid)
      WHERE added OR relkind <> CASE WHEN parted THEN 'p' ELSE 'r' END ORDER BY 1`,
    values: [TABLES],
  });
  const code = await query({
    text: `${OURS}, parts AS (
        SELECT oid, 'pg_class'::regclass AS class, oid AS part FROM ours
        UNION ALL SELECT oid, 'pg_class'::regclass, indexrelid FROM ours JOIN pg_index ON indrelid = oid
        UNION ALL SELECT ours.oid, 'pg_statistic_ext'::regclass, of.oid FROM ours JOIN pg_statistic_ext AS of ON stxrelid = ours.oid
      )
      SELECT DISTINCT parts.oid::regclass::text AS "table" FROM parts JOIN pg_depend ON classid = class AND objid = part
      WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass) ORDER BY 1`,
    values: [TABLES],
  });
  return [
    ...kinds.map(
      ({ table, parted }) =>
        `${String(table)} is not the ${parted === true ? 'partitioned ' : ''}table that the service made`,
    ),
    ...code.map(
      ({ table }) =>
        `${String(table)} has a column, an index or statistics with a type or a function that the service did not make`,
    ),
  ];
}

/** Which of them a crash of the server would empty; one sentence each. */
export async function unloggedTables(query: Query): Promise<readonly string[]> {
  const rows = await query({
    text: `${OURS} SELECT oid::regclass::text AS "table" FROM ours JOIN pg_class USING (oid) WHERE relpersistence <> 'p' ORDER BY 1`,
    values: [TABLES],
  });
  return rows.map(({ table }) => `${String(table)} is unlogged, so that a crash of the server would empty it`);
}

/** What was tied to them that changes or drops what is written; one sentence each. */
export async function foreignRules(query: Query): Promise<readonly string[]> {
  const rows = await query({
    text: `${OURS} SELECT DISTINCT oid::regclass::text AS "table" FROM ours
      WHERE EXISTS (SELECT FROM pg_rewrite WHERE ev_class = ours.oid) ORDER BY 1`,
    values: [TABLES],
  });
  return rows.map(({ table }) => `${String(table)} has a rewrite rule, which the service did not make`);
}

/** Where others see fewer rows than the owner, who is the one that verifies perhaps; one sentence each. */
export async function rowSecurity(query: Query): Promise<readonly string[]> {
  const rows = await query({
    text: `${OURS} SELECT oid::regclass::text AS "table" FROM ours JOIN pg_class USING (oid) WHERE relrowsecurity ORDER BY 1`,
    values: [TABLES],
  });
  return rows.map(({ table }) => `${String(table)} has row-level security, which hides rows from other users`);
}
