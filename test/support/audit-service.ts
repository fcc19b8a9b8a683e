import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { auditSetup, testDirectory } from './audit-setup.ts';
import { type RunningService, type ServiceChanges, startService } from './running-service.ts';
import { readSqliteRecords } from './sqlite-records.ts';

const AUDITORS = `auditors:
  - { name: security, issuer: cluster, claims: { groups: security-audit } }
`;

export type AuditService = RunningService & {
  /** A request with an auditor's JWT. */
  audit(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
};

/** A running service with an auditor. `written` are records that another instance has left in its store. */
export async function startAuditService(
  t: TestContext,
  changes: ServiceChanges & { readonly written?: readonly AuditRecord[] } = {},
): Promise<AuditService> {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  if (changes.written !== undefined) {
    const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, directory, { instance: 'another' }));
    await Promise.all(changes.written.map((record) => log.record(record)));
    await log.close();
  }
  const store = `audit: { instance: pod-1, store: { type: sqlite, path: ${path} } }\n`;
  const { config = (text: string) => text, overrides = {} } = changes;
  const service = await startService(t, { config: (text) => config(text + AUDITORS + store), overrides });
  return {
    ...service,
    records: () => readSqliteRecords(path),
    async audit(address, headers = {}) {
      const token = await service.mint({ sub: 'alice', groups: ['staff', 'security-audit'] });
      return service.ask(address, { headers: { authorization: `Bearer ${token}`, ...headers } });
    },
  };
}
