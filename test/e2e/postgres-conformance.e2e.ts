import { after } from 'node:test';
import { conformsToStore } from '../audit/store-conformance.ts';
import { readPostgresRecords } from '../support/postgres-records.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

const prepare = async () => {
  const database = await server.createDatabase();
  return { store: server.storeConfig(database), read: () => readPostgresRecords(server, database) };
};
conformsToStore('the PostgreSQL store', prepare, false);
