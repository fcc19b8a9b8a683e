import { statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { openAuditLog } from '../audit/audit-log.ts';
import { loadCheckpointPublicKey } from '../audit/chain/checkpoint-key.ts';
import { openReader } from '../audit/open-store.ts';
import type { StoreReader } from '../audit/store.ts';
import type { Config } from '../config.ts';
import { instanceNameOf } from '../config/instance-name.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { newAuditId } from '../issuance/audit-id.ts';
import { type Action, type AuditRecord, beginAuditRecord } from '../issuance/audit-record.ts';
import { COMMAND_LINE } from '../issuance/command-line.ts';
import type { CommandContext } from './command.ts';
import { requireStoreUser } from './require-store-user.ts';

export const UNRECORDED_OPTION = { unrecorded: { type: 'boolean' } } as const;

export type Reading = {
  readonly action: Action;
  /** What is asked for. */
  readonly detail: string;
  /** Whether it leaves no record; for copies of a store. */
  readonly unrecorded: boolean;
};

/**
 * Opens the configured store to read it, once the record that says so is durable: nobody reads the audit unseen. Rejects
 * when the store cannot be read or the record cannot be written.
 */
export async function openOnRecord(
  context: CommandContext,
  loaded: LoadedConfig,
  { action, detail, unrecorded }: Reading,
): Promise<StoreReader> {
  const { audit } = loaded.config;
  const reader = await openReader(audit.store);
  try {
    if (unrecorded) context.printError('This reading is not recorded.');
    else await recordReading(audit, readingRecord(loaded.hash, action, detail));
    return reader;
  } catch (error) {
    await reader.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Nothing is shown, because that it was read cannot be recorded: ${why}.\n` +
        'Of a copy of a store, --unrecorded reads without a record.',
      { cause: error },
    );
  }
}

async function recordReading(audit: Config['audit'], record: AuditRecord): Promise<void> {
  const { store, checkpointKeyFile, diskReserve } = audit;
  const instance = instanceNameOf(audit.instance, hostname());
  requireStoreUser(store);
  // The service makes the key. One made here would be another, and no checkpoint signed with it would verify.
  loadCheckpointPublicKey(checkpointKeyFile);
  const log = await openAuditLog({
    ...{ store, checkpointKeyFile, diskReserve, retention: null, copies: false },
    instance: `${instance.slice(0, 249)}-cli`,
  });
  try {
    await log.record(record);
  } finally {
    await log.close();
  }
}

function readingRecord(configHash: string, action: Action, detail: string): AuditRecord {
  const now = Date.now();
  const facts = { action, clientAddress: null, userAgent: null, requestId: null, traceId: null };
  const begun = beginAuditRecord(newAuditId(now), now, configHash, facts);
  return { ...begun, outcome: 'answered', issuer: COMMAND_LINE, subject: systemUser(), detail };
}

/** A container's user often has a number and no name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    const self = statSync('/proc/self', { throwIfNoEntry: false });
    return self === undefined ? 'unknown' : `uid ${self.uid}`;
  }
}
