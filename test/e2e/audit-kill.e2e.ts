import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAsking } from '../support/asking.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { medianOf } from '../../bench/median.ts';
import { mintJwt, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';
import { assertVerifies } from '../support/verify-store.ts';

const ROUNDS = 100;

test('kill -9 at random moments under load, 100 times: each token has its record, and the chain verifies', async (t) => {
  const folder = testDirectory(t);
  const key = writeServiceFiles(folder, (text) => text.replaceAll('1000/s', '100000/s'));
  const authorization = `Bearer ${await mintJwt(key, {})}`;
  const received: string[] = [];
  const starts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    const { child, ended, listening } = runProgram(t, ['--config', join(folder, 'config.yaml')]);
    const asking = startAsking(await listening, authorization, 16);
    await asking.next(201);
    starts.push(performance.now() - begun);
    await sleep(Math.random() * 400);
    child.kill('SIGKILL');
    appendFileSync(join(folder, 'printed.log'), (await ended).stdout);
    await asking.stop();
    received.push(...asking.answers.flatMap(({ status, auditId }) => (status === 201 && auditId ? [auditId] : [])));
  }
  const recorded = new Set(readSqliteRecords(join(folder, 'data', 'audit.db')).map(({ id }) => id));
  t.diagnostic(`${received.length} tokens received, ${recorded.size} records in ${ROUNDS} rounds`);
  t.diagnostic(
    `restart to first token: median ${medianOf(starts).toFixed(0)} ms, longest ${Math.max(...starts).toFixed(0)} ms`,
  );
  assert.ok(received.length > ROUNDS);
  assert.deepEqual(
    received.filter((id) => !recorded.has(id)),
    [],
  );
  assert.ok(medianOf(starts) < 2_000);
  await assertVerifies(t, folder);
});
