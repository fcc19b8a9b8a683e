import { after } from 'node:test';
import { conformsToStore } from '../audit/store-conformance.ts';
import { readPostgresRecords } from '../support/postgres-records.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

conformsToStore('the PostgreSQL store', async () => {
  const database = await server.createDatabase();
  return { store: server.storeConfig(database), read: () => readPostgresRecords(server, database) };
});
