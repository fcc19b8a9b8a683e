import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAsking, unfit } from '../support/asking.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { mintJwt, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { assertVerifies } from '../support/verify-store.ts';

test('a SQLite store that another process locks for 30 s: 503 within a second each time, then tokens again', async (t) => {
  const folder = testDirectory(t);
  const key = writeServiceFiles(folder);
  const { listening } = runProgram(t, ['--config', join(folder, 'config.yaml')]);
  const asking = startAsking(await listening, `Bearer ${await mintJwt(key, {})}`, 8);
  t.after(() => asking.stop());
  await asking.next(201);
  const other = new DatabaseSync(join(folder, 'data', 'audit.db'), { timeout: 5_000 });
  t.after(() => other.close());
  other.exec('BEGIN EXCLUSIVE');
  const locked = performance.now();
  await sleep(30_000);
  const issued = asking.answers.filter(({ status, at, ms }) => status === 201 && at - ms > locked);
  assert.deepEqual(issued, []);
  other.exec('ROLLBACK');
  const free = performance.now();
  const { at } = await asking.next(201);
  t.diagnostic(`tokens again ${(at - free).toFixed(0)} ms after the lock went`);
  assert.ok(at - free < 5_000);
  await asking.stop();
  const refused = asking.answers.filter(({ status }) => status === 503);
  t.diagnostic(`${refused.length} times 503, the slowest ${Math.max(...refused.map(({ ms }) => ms)).toFixed(0)} ms`);
  assert.ok(refused.length > 100);
  // A second, and what a busy machine takes to deliver it.
  assert.deepEqual(unfit(asking.answers, 1_500), []);
  await assertVerifies(t, folder);
});
