import type { PostgresServer } from './postgres-server.ts';
import type { ReadRecord } from './published-records.ts';

/** All records of a store as the superuser reads them, in the order of instance and sequence. */
export async function readPostgresRecords(server: PostgresServer, database: string): Promise<readonly ReadRecord[]> {
  const rows = await server.query(database, 'SELECT record::text FROM rtv_audit.records ORDER BY instance, sequence');
  return rows.map(({ record }) => {
    const { previous_hash: _previous, ...rest } = JSON.parse(String(record));
    return rest;
  });
}
