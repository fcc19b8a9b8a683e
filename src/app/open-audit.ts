import { hostname } from 'node:os';
import { openAuditLog } from '../audit/audit-log.ts';
import type { Config } from '../config.ts';
import { instanceNameOf } from '../config/instance-name.ts';
import type { Metrics } from '../http/metrics.ts';
import type { AuditLog } from '../issuance/audit-record.ts';
import type { AppOptions } from './app-options.ts';

/** Opens the audit log that the configuration describes. It stays open for as long as the process runs. */
export async function openConfiguredAuditLog(
  { store, instance: configured, checkpointKeyFile, retention, diskReserve, copyToStdout }: Config['audit'],
  metrics: Pick<Metrics, 'onFailure'>,
  { logger, printRecords }: AppOptions,
): Promise<AuditLog> {
  const instance = instanceNameOf(configured, hostname());
  const log = await openAuditLog(
    {
      store,
      instance,
      checkpointKeyFile,
      diskReserve,
      retention: retention ?? null,
      copies: copyToStdout && printRecords !== undefined,
    },
    {
      onFault(error) {
        metrics.onFailure('audit_store');
        logger.error({ err: error }, 'the audit store is unavailable');
      },
      onCheckpoint: (checkpoint) => logger.info({ checkpoint }, 'audit checkpoint'),
      onCopies: (lines) => printRecords?.(lines),
      onNotice: (level, text) => logger[level](text),
    },
  );
  logger.info({ instance, verifier_key: log.verifierKey }, 'the audit store is open');
  return log;
}
