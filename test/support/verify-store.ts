import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { runProgram } from './service-process.ts';

/** Runs `audit verify` on a configuration's store, with what the service printed when there is a file of it. */
export async function assertVerifies(t: TestContext, folder: string): Promise<void> {
  const printed = join(folder, 'printed.log');
  const external = existsSync(printed) ? ['--checkpoints', printed] : [];
  const args = ['audit', 'verify', '--config', join(folder, 'config.yaml'), ...external];
  const { status, stdout, stderr } = await runProgram(t, args).ended;
  assert.equal(status, 0, stdout + stderr);
}
