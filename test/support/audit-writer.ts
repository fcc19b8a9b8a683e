import { openAuditLog } from '../../src/audit/audit-log.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { auditRecord } from './audit-records.ts';

// A program of its own that writes records until one fails or it is killed: `audit-writer.ts <setup as JSON>`.
// It prints `durable <id>` only after the record's promise resolved, and `fault <code>` before it ends.
const log = await openAuditLog(JSON.parse(process.argv[2] ?? ''));
let faulted = false;

async function keepWriting(): Promise<void> {
  while (!faulted) {
    const record = auditRecord({ time: Date.now() });
    try {
      await log.record(record);
      process.stdout.write(`durable ${record.id}\n`);
    } catch (error) {
      faulted = true;
      process.stdout.write(`fault ${error instanceof Fault ? error.code : String(error)}\n`);
    }
  }
}

await Promise.all(Array.from({ length: 32 }, keepWriting));
await log.close();
