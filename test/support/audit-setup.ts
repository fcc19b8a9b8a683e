import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import type { WriterSetup } from '../../src/audit/store-messages.ts';

/** How tests open a log on a store: one instance, a key of its own beside the store, nothing kept free, nothing retired. */
export function auditSetup(
  store: AuditStore,
  directory: string,
  changes: Partial<WriterSetup> = {},
): Omit<WriterSetup, 'create'> {
  const checkpointKeyFile = join(directory, 'checkpoint-key.pem');
  return { store, instance: 'pod-1', checkpointKeyFile, diskReserve: 0, retention: null, copies: false, ...changes };
}

/** A directory that goes with the test. */
export function testDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rtv-audit-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
