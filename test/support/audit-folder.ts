import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditSetup, testDirectory } from './audit-setup.ts';
import { writeServiceFiles } from './running-service.ts';
import { type Ended, runProgram } from './service-process.ts';

/** A folder as the service leaves it: config.yaml, and the store and the key in `data`. */
export type AuditFolder = {
  readonly path: string;
  readonly config: string;
  readonly store: string;
  /** The checkpoints that were printed, as lines of a log. */
  readonly printed: string[];
  /** Of pod-1: a C2SP verifier key. */
  verifierKey: string;
  write(records: readonly AuditRecord[]): Promise<void>;
  /** Runs `rds-token-vendor audit …` on it until its end. */
  audit(...args: readonly string[]): Promise<Ended>;
};

export async function auditFolder(t: TestContext, records: readonly AuditRecord[] = []): Promise<AuditFolder> {
  const path = testDirectory(t);
  const config = join(path, 'config.yaml');
  const store = join(path, 'data', 'audit.db');
  writeServiceFiles(path, (text) => `${text}audit: { instance: pod-1 }\n`);
  const printed: string[] = [];
  const folder: AuditFolder = {
    ...{ path, config, store, printed, verifierKey: '' },
    async write(more) {
      const setup = auditSetup({ type: 'sqlite', path: store }, join(path, 'data'));
      const onCheckpoint = (checkpoint: string) => printed.push(JSON.stringify({ level: 'info', checkpoint }));
      const log = await openAuditLog(setup, { onCheckpoint });
      folder.verifierKey = log.verifierKey;
      await Promise.all(more.map((record) => log.record(record)));
      await log.close();
    },
    audit: (...[word = '', ...args]) => runProgram(t, ['audit', word, '--config', config, ...args]).ended,
  };
  await folder.write(records);
  return folder;
}
