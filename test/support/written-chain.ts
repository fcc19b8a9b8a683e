import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { logOrigin } from '../../src/audit/chain/log-origin.ts';
import { rowOf } from '../../src/audit/record-row.ts';
import type { Store } from '../../src/audit/store.ts';
import { createWriter } from '../../src/audit/writer.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';

export type CheckpointKeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export function checkpointKey(): CheckpointKeyPair {
  return generateKeyPairSync('ed25519');
}

/**
 * Writes records as the service does, one commit for each list, 400 ms apart: about every second commit's checkpoint is
 * kept. Gives the checkpoints that were printed.
 */
export async function writeRecords(
  store: Store,
  instance: string,
  { privateKey }: CheckpointKeyPair,
  commits: readonly (readonly AuditRecord[])[],
): Promise<string[]> {
  const printed: string[] = [];
  let time = 1_790_000_000_000;
  const writer = createWriter({
    ...{ store, instance, diskReserve: 0, onCopies: null },
    signer: createCheckpointSigner(logOrigin(instance), privateKey),
    now: () => time,
    onCheckpoint: (note) => printed.push(note),
  });
  await writer.open(true);
  for (const [id, records] of commits.entries()) {
    time += 400;
    const [answer] = await writer.write([{ id, deadline: Infinity, rows: records.map(rowOf) }]);
    if (answer?.failure !== null) throw new Error(answer?.failure ?? 'no answer');
  }
  await writer.close();
  return printed;
}
