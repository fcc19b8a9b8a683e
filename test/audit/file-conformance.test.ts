import { join } from 'node:path';
import { readFileRecords } from '../support/file-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { conformsToStore } from './store-conformance.ts';

conformsToStore('the file store', (test) => {
  const directory = join(testDirectory(test), 'audit');
  const read = () => readFileRecords(directory);
  return Promise.resolve({ store: { type: 'file', directory, rotateSize: 1024 * 1024 }, read });
});

conformsToStore('the file store with a file for nearly every commit', (test) => {
  const directory = join(testDirectory(test), 'audit');
  const read = () => readFileRecords(directory);
  return Promise.resolve({ store: { type: 'file', directory, rotateSize: 1 }, read });
});
