import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { auditSetup } from './audit-setup.ts';

const program = fileURLToPath(new URL('./audit-writer.ts', import.meta.url));

/** What an `audit-writer.ts` printed before its end. */
export type WriterOutcome = { durable: string[]; faults: string[]; stderr: string };

/**
 * Runs `audit-writer.ts`; SIGKILLs it once it has printed `killAfter` durable records. `fileLimit`, in blocks of the
 * shell's `ulimit -f`, bounds what it can write to one file. Its checkpoint key is in `directory`.
 */
export async function runAuditWriter(
  store: AuditStore,
  options: { directory: string; killAfter?: number; fileLimit?: number },
): Promise<WriterOutcome> {
  const command = [process.execPath, program, JSON.stringify(auditSetup(store, options.directory))];
  const limit = options.fileLimit === undefined ? 'unlimited' : String(options.fileLimit);
  const child = spawn('sh', ['-c', 'ulimit -f "$0" && exec "$@"', limit, ...command]);
  const outcome: WriterOutcome = { durable: [], faults: [], stderr: '' };
  child.stderr.on('data', (text) => (outcome.stderr += String(text)));
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const [word, value = ''] = line.split(' ');
    (word === 'durable' ? outcome.durable : outcome.faults).push(value);
    if (outcome.durable.length === options.killAfter) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'close'), once(lines, 'close')]);
  return outcome;
}
