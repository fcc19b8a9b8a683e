import { DAY, day } from './postgres-days.ts';
import type { PostgresServer } from './postgres-server.ts';

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
  const pairs = Object.entries(members).map(([name, sql]) => `'${name}', ${sql}`);
  for (let ago = days - 1; ago >= 0; ago--) {
    await server.query(
      database,
      `INSERT INTO rtv_audit.records (id, instance, sequence, hash, record)
        SELECT id, 'pod-1', sequence, sha256(id::text::bytea),
          json_build_object('id', id, 'instance', 'pod-1', 'sequence', sequence, ${pairs.join(', ')})
        FROM (
          SELECT n, ${ago} AS ago, ${days - 1 - ago}::bigint * ${perDay} + n + 1 AS sequence,
            (substr(time, 1, 8) || '-' || substr(time, 9) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
          FROM (
            SELECT n, lpad(to_hex(${day(-ago)} + n * ${Math.floor(DAY / perDay)}::bigint), 12, '0') AS time
            FROM generate_series(0, ${perDay - 1}) AS n
          ) AS times
        ) AS numbered`,
    );
  }
}
