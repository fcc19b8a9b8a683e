import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A path for a store in a directory that goes with the test; the file and its own directory do not exist yet. */
export function sqliteStorePath(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rtv-audit-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'data', 'audit.db');
}
