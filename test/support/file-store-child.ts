import { rowOf } from '../../src/audit/record-row.ts';
import { createFileStore } from '../../src/audit/file/file-store.ts';
import { extendChain } from '../../src/audit/chain/extend.ts';
import { rootOf } from '../../src/audit/chain/frontier.ts';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { Passing } from '../../src/audit/store.ts';
import { generateKeyPairSync } from 'node:crypto';
import { auditRecord } from './audit-records.ts';

// A program of its own that uses a file store: `file-store-child.ts hold|fill <directory>`. It prints one word a line.
const [task = '', directory = ''] = process.argv.slice(2);
const store = createFileStore({ type: 'file', directory, rotateSize: 2 ** 30 }, 'pod-1');
const { privateKey } = generateKeyPairSync('ed25519');
const signer = createCheckpointSigner('rds-token-vendor/pod-1', privateKey);

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

/** One commit of a record with so long a detail, without opening the store again whatever comes of it. */
async function commit(length: number): Promise<string> {
  const before = await store.head();
  const row = rowOf(auditRecord({ detail: 'x'.repeat(length) }));
  const { records, head: after } = extendChain(before, 'pod-1', [row]);
  const checkpoint = signer.sign({ size: after.sequence, root: rootOf(after.frontier), time: Date.now() });
  try {
    await store.commit({ before, after, records, checkpoint, keep: true });
    return 'taken';
  } catch (error) {
    return error instanceof Passing ? 'passing' : String(error);
  }
}

try {
  await store.open(true);
  say('open');
  if (task === 'hold') setInterval(() => undefined, 1_000);
  else for (const length of [20_000, 20_000, 20_000, 20_000, 100, 20_000, 100]) say(await commit(length));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
}
