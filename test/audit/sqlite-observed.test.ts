import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';
import { documentedQuery } from '../support/documented-query.ts';
import { CHANGED_LOGINS, changedLogin, OBSERVED_RECORDS } from '../support/observed-records.ts';

test('the documented query tells which logins would change if observing grants were enforced', async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, directory));
  t.after(() => log.close());
  for (const record of OBSERVED_RECORDS) await log.record(record);
  const db = new DatabaseSync(path, { readOnly: true });
  t.after(() => db.close());
  const rows = db.prepare(documentedQuery('reading-the-audit.md', 'sqlite-observed')).all();
  assert.deepEqual(rows.map(changedLogin), CHANGED_LOGINS);
});
