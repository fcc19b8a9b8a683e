import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';
import { recordFiles } from '../support/file-records.ts';
import { runAuditWriter } from '../support/run-audit-writer.ts';
import { verifiedIds } from '../support/verified-files.ts';

test('every record reported durable by a writer under load is there after each SIGKILL, and the chain verifies', async (t) => {
  const top = testDirectory(t);
  const store = { type: 'file', directory: join(top, 'audit'), rotateSize: 64 * 1024 } as const;
  const durable: string[] = [];
  for (let round = 0; round < 6; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 400);
    const outcome = await runAuditWriter(store, { directory: top, killAfter });
    assert.deepEqual([outcome.faults, outcome.stderr], [[], ''], `killed after ${killAfter}`);
    durable.push(...outcome.durable);
    // Opening it cuts off what was half written; the next writer would do so too.
    const log = await openAuditLog(auditSetup(store, top));
    const record = auditRecord();
    await log.record(record);
    durable.push(record.id);
    await log.close();
    const key = createPublicKey(readFileSync(join(top, 'checkpoint-key.pem')));
    const ids = new Set(verifiedIds(store.directory, 'pod-1', key));
    assert.deepEqual(
      durable.filter((id) => !ids.has(id)),
      [],
      `killed after ${killAfter}`,
    );
  }
  assert.ok(recordFiles(store.directory).length > 3);
});

test('a writer that finds no more room answers every record, and what it reported durable is there', async (t) => {
  const top = testDirectory(t);
  const store = { type: 'file', directory: join(top, 'audit'), rotateSize: 2 ** 30 } as const;
  const outcome = await runAuditWriter(store, { directory: top, fileLimit: 300 });
  assert.deepEqual(new Set(outcome.faults), new Set(['audit_unavailable']));
  const key = createPublicKey(readFileSync(join(top, 'checkpoint-key.pem')));
  const before = verifiedIds(store.directory, 'pod-1', key);
  assert.deepEqual(
    outcome.durable.filter((id) => !before.includes(id)),
    [],
  );
  const log = await openAuditLog(auditSetup(store, top));
  const record = auditRecord();
  await log.record(record);
  await log.close();
  assert.deepEqual(verifiedIds(store.directory, 'pod-1', key), [...before, record.id]);
});
