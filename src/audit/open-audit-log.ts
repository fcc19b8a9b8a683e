import type { Config } from '../config.ts';
import type { AuditLog } from '../issuance/audit-record.ts';
import { type AuditInstance, openSqliteAuditLog } from './sqlite-audit-log.ts';

export type AuditStore = Config['audit']['store'];

/** Opens the configured store, the one place that knows the kinds; rejects with an `Error` for operators. */
export function openAuditLog(store: AuditStore, instance: AuditInstance): Promise<AuditLog> {
  switch (store.type) {
    case 'sqlite':
      return openSqliteAuditLog(store.path, instance);
  }
}
