import { DAY, day } from './postgres-days.ts';
import type { PostgresServer } from './postgres-server.ts';

const SEARCHED = ['action', 'outcome', 'issuer', 'subject', 'observed', 'database', 'user', 'endpoint', 'grant'];
const NOTHING = Object.fromEntries(SEARCHED.map((name) => [name, 'NULL']));

/**
 * Puts records into a store by SQL, `perDay` in each of the last `days` days that have a partition. Their chain is none:
 * they are there to be searched. `n` counts the records of a day, `ago` the days from the last one.
 */
export async function fillRecords(
  server: PostgresServer,
  database: string,
  days: number,
  perDay: number,
  members: Readonly<Record<string, string>>,
): Promise<void> {
  const pairs = Object.entries({ ...NOTHING, ...members }).map(([name, sql]) => `'${name}', ${sql}`);
  for (let ago = days - 1; ago >= 0; ago--) {
    await server.query(
      database,
      `INSERT INTO rtv_audit.records (id, instance, sequence, hash, record,
          action, outcome, issuer, subject, database, database_user, endpoint, grant_name, observed)
        SELECT id, 'pod-1', sequence, sha256(id::text::bytea), record,
          action, outcome, issuer, subject, database, "user", endpoint, "grant", observed::text
        FROM (
          SELECT n, ${ago} AS ago, ${days - 1 - ago}::bigint * ${perDay} + n + 1 AS sequence,
            (substr(time, 1, 8) || '-' || substr(time, 9) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
          FROM (
            SELECT n, lpad(to_hex(${day(-ago)} + n * ${Math.floor(DAY / perDay)}::bigint), 12, '0') AS time
            FROM generate_series(0, ${perDay - 1}) AS n
          ) AS times
        ) AS numbered,
        json_build_object(${pairs.join(', ')}) AS members,
        json_to_record(members) AS said (action text, outcome text, issuer text, subject text,
          database text, "user" text, endpoint text, "grant" text, observed json),
        concat('{"id":"', id, '","instance":"pod-1","sequence":', sequence, ',', substr(regexp_replace(members::text, '" : ', '":', 'g'), 2)) AS text,
        CAST(text AS json) AS record`,
    );
  }
}
