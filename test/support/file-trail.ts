import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { logOrigin } from '../../src/audit/chain/log-origin.ts';
import { createFileStore } from '../../src/audit/file/file-store.ts';
import { rowOf } from '../../src/audit/record-row.ts';
import type { Store } from '../../src/audit/store.ts';
import type { Answer } from '../../src/audit/store-messages.ts';
import { createWriter, type Writer } from '../../src/audit/writer.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';

/** Signs the checkpoints of all trails of a test file. */
export const { privateKey, publicKey } = generateKeyPairSync('ed25519');

export type FileTrail = {
  readonly store: Store;
  readonly writer: Writer;
  /** Writes records in one commit; what the writer answers. */
  write(...records: readonly AuditRecord[]): Promise<Answer>;
  /** Writes records in one commit, and fails the test when they are not taken. */
  add(...records: readonly AuditRecord[]): Promise<void>;
  close(): Promise<void>;
};

export type TrailOptions = { readonly instance?: string; readonly rotateSize?: number; readonly now?: () => number };

/** A writer on a file store, in this thread: one call is one commit. It is not open yet. */
export function fileTrail(test: TestContext, directory: string, options: TrailOptions = {}): FileTrail {
  const { instance = 'pod-1', rotateSize = 1024 * 1024, now = Date.now } = options;
  const store = createFileStore({ type: 'file', directory, rotateSize }, instance);
  const signer = createCheckpointSigner(logOrigin(instance), privateKey);
  const ignore = () => undefined;
  const writer = createWriter({ store, instance, signer, diskReserve: 0, now, onCheckpoint: ignore, onCopies: null });
  const close = () => writer.close();
  test.after(close);

  async function write(...records: readonly AuditRecord[]): Promise<Answer> {
    const rows = records.map(rowOf);
    const [answer] = await writer.write([{ id: 1, deadline: Number.POSITIVE_INFINITY, rows }]);
    return answer ?? assert.fail('no answer');
  }

  async function add(...records: readonly AuditRecord[]): Promise<void> {
    assert.deepEqual(await write(...records), { id: 1, failure: null, refused: [] });
  }

  return { store, writer, write, add, close };
}

export async function openFileTrail(
  test: TestContext,
  directory: string,
  options: TrailOptions = {},
): Promise<FileTrail> {
  const trail = fileTrail(test, directory, options);
  await trail.writer.open(true);
  return trail;
}
