import { type AuditStore, openAuditLog } from '../../src/audit/open-audit-log.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { auditRecord } from './audit-records.ts';

// A program of its own that writes records until one fails or it is killed: `audit-writer.ts <store as JSON> <instance>`.
// It prints `durable <id>` only after the record's promise resolved, and `fault <code>` before it ends.
const [storeJson = '', name = ''] = process.argv.slice(2);
const store: AuditStore = JSON.parse(storeJson);
const log = await openAuditLog(store, { name });
let faulted = false;

async function keepWriting(): Promise<void> {
  while (!faulted) {
    const record = auditRecord();
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
