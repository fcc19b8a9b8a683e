import { readSqliteRecords } from '../support/sqlite-records.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';
import { conformsToStore } from './store-conformance.ts';

conformsToStore('the SQLite store', (test) => {
  const path = sqliteStorePath(test);
  return Promise.resolve({ store: { type: 'sqlite', path }, read: () => readSqliteRecords(path) });
});
