import { openFileReader } from '../../src/audit/file/file-reader.ts';
import { oneKey } from '../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../src/audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../../src/audit/verify/verify-store.ts';
import { publicKey } from './file-trail.ts';

/** What `audit verify` finds in the trails of `openFileTrail`, one sentence each; [] when they are good. */
export async function verdictOn(directory: string): Promise<string[]> {
  const keys = oneKey(publicKey);
  const reader = await openFileReader({ type: 'file', directory, rotateSize: 1 });
  const { chains, findings } = await verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
  return [...findings, ...chains.flatMap((chain) => chain.findings)].map(describeFinding);
}
