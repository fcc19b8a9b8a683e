import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { logOrigin } from '../../src/audit/chain/log-origin.ts';
import { openPostgresReader } from '../../src/audit/postgres/postgres-reader.ts';
import { createPostgresStore } from '../../src/audit/postgres/postgres-store.ts';
import { rowOf } from '../../src/audit/record-row.ts';
import type { Store, StoreReader } from '../../src/audit/store.ts';
import { oneKey } from '../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../src/audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../../src/audit/verify/verify-store.ts';
import { createWriter, type Writer } from '../../src/audit/writer.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import type { PostgresConfig } from './postgres-server.ts';

/** Signs the checkpoints of all trails of a test file. */
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

/** A writer on a PostgreSQL store, in this thread: one call is one commit. */
export type PostgresTrail = {
  readonly store: Store;
  readonly writer: Writer;
  /** Writes records in one commit; why they are not known to be durable, or null. */
  write(...records: readonly AuditRecord[]): Promise<string | null>;
  /** Writes records in one commit, and fails the test when they are not taken. */
  add(...records: readonly AuditRecord[]): Promise<void>;
};

/** Not open yet. `now` says when checkpoints are kept: within 750 ms of the one before they are not. */
export function postgresTrail(
  test: TestContext,
  config: PostgresConfig,
  options: { readonly instance?: string; readonly now?: () => number } = {},
): PostgresTrail {
  const { instance = 'pod-1', now = Date.now } = options;
  const store = createPostgresStore(config, instance);
  const signer = createCheckpointSigner(logOrigin(instance), privateKey);
  const ignore = () => undefined;
  const writer = createWriter({ store, instance, signer, diskReserve: 0, now, onCheckpoint: ignore, onCopies: null });
  test.after(() => writer.close());

  async function write(...records: readonly AuditRecord[]): Promise<string | null> {
    const [answer] = await writer.write([{ id: 1, deadline: Number.POSITIVE_INFINITY, rows: records.map(rowOf) }]);
    return (answer ?? assert.fail('no answer')).failure;
  }

  async function add(...records: readonly AuditRecord[]): Promise<void> {
    assert.equal(await write(...records), null);
  }

  return { store, writer, write, add };
}

export async function openPostgresTrail(...args: Parameters<typeof postgresTrail>): Promise<PostgresTrail> {
  const trail = postgresTrail(...args);
  await trail.writer.open(true);
  return trail;
}

export async function postgresReader(test: TestContext, config: PostgresConfig): Promise<StoreReader> {
  const reader = await openPostgresReader(config);
  test.after(() => reader.close());
  return reader;
}

/** What `audit verify` finds wrong, in its words; an intact store gives none. */
export async function findingsIn(reader: StoreReader): Promise<string[]> {
  const keys = oneKey(publicKey);
  const { chains } = await verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
  return chains.flatMap(({ instance, findings }) =>
    findings.map((finding) => `${instance}: ${describeFinding(finding)}`),
  );
}
