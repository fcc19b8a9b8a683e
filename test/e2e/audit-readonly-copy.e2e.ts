import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { openReader } from '../../src/audit/open-store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';

test('a copy of a SQLite store is read where nothing can be written', async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, directory));
  for (let i = 0; i < 5; i++) await log.record(auditRecord());
  await log.close();
  const [original, copy] = [join(directory, 'original'), join(directory, 'copy')];
  for (const folder of [original, copy]) mkdirSync(folder);
  copyFileSync(path, join(original, 'audit.db'));
  execFileSync('mount', ['--bind', original, copy]);
  try {
    execFileSync('mount', ['-o', 'remount,ro,bind', copy]);
    const reader = await openReader({ type: 'sqlite', path: join(copy, 'audit.db') });
    assert.equal((await reader.page({ filter: {}, limit: 10 })).events.length, 5);
    assert.deepEqual(await reader.faults(), []);
    await reader.close();
  } finally {
    execFileSync('umount', [copy]);
  }
});
