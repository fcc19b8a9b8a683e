import { connect } from '../../src/audit/postgres/connection.ts';
import { addPartitions, listPartitions } from '../../src/audit/postgres/partitions.ts';
import type { PostgresConfig, PostgresServer } from './postgres-server.ts';

export const DAY = 86_400_000;

/** The start of a day in UTC, so many days from today. */
export function day(fromToday: number): number {
  return (Math.floor(Date.now() / DAY) + fromToday) * DAY;
}

/** Makes partitions as the service had made them when it ran on these days. */
export async function makeDays(config: PostgresConfig, days: readonly number[]): Promise<void> {
  const { query, close } = await connect(config, { connectTimeout: 5_000, queryTimeout: 5_000 });
  for (const time of days) await addPartitions(query, await listPartitions(query), time);
  await close();
}

/** The days that have a partition, `YYYYMMDD`. */
export async function daysThere(server: PostgresServer, database: string): Promise<string[]> {
  const rows = await server.query(
    database,
    `SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid
      WHERE inhparent = 'rtv_audit.records'::regclass AND relname <> 'records_default' ORDER BY 1`,
  );
  return rows.map(({ relname }) => String(relname).replace('records_', ''));
}

export function dayName(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
}
