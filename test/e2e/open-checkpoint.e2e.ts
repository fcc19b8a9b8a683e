import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { openReader } from '../../src/audit/open-store.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';

const PROGRAM = fileURLToPath(new URL('./open-checkpoint', import.meta.url));

function openWithGo(input: object) {
  return spawnSync('go', ['run', '.'], { cwd: PROGRAM, input: JSON.stringify(input), encoding: 'utf8' });
}

test('Go’s signed notes and Merkle trees open the checkpoints and find the same roots', async (t) => {
  const directory = testDirectory(t);
  const store = { type: 'sqlite', path: join(directory, 'audit.db') } as const;
  const notes: string[] = [];
  const log = await openAuditLog(auditSetup(store, directory), { onCheckpoint: (note) => notes.push(note) });
  for (let i = 0; i < 23; i++) await log.record(auditRecord());
  await Promise.all(Array.from({ length: 1_100 }, (_, index) => auditRecord({ time: index })).map(log.record));
  await log.close();
  const reader = await openReader(store);
  t.after(() => reader.close());
  const canonical = (await reader.records('pod-1', 0, 5_000)).map((record) => record.canonical);
  const input = { verifier_key: log.verifierKey, canonical };
  for (const note of [notes[0], notes.at(-1)]) {
    const { status, stdout, stderr } = openWithGo({ ...input, note });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^rds-token-vendor\/pod-1 \d+\n$/);
  }
  const edited = canonical.with(7, (canonical[7] ?? '').replace('app_rw', 'admin'));
  assert.match(
    openWithGo({ ...input, canonical: edited, note: notes.at(-1) }).stderr,
    /the root is .* where the records give/,
  );
  const forged = (notes.at(-1) ?? '').replace('\n1123\n', '\n1122\n');
  assert.match(openWithGo({ ...input, note: forged }).stderr, /invalid signature/);
});
