import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../bin/rds-token-vendor.mjs', import.meta.url));

export type AuditEvent = Readonly<Record<'id' | 'outcome', string>> &
  Readonly<Record<'reason' | 'subject' | 'user' | 'grant', string | null>>;

/** Reads all records of the service, newest first. */
export async function readAudit(
  vendorUrl: string,
  jwt: string,
): Promise<{ readonly status: number; readonly body: { readonly events: readonly AuditEvent[] } }> {
  const headers = { authorization: `Bearer ${jwt}` };
  const response = await fetch(new URL('/v1/audit/events?limit=1000', vendorUrl), { headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Copies the store, edits one record of the copy, and gives the name of a configuration that names it. */
export function editedCopy(state: string): string {
  const copy = join(state, 'edited.db');
  const original = new DatabaseSync(join(state, 'audit.db'));
  original.prepare('VACUUM INTO ?').run(copy);
  original.close();
  const db = new DatabaseSync(copy);
  // The first token was for app_rw: now the record says app_ro.
  db.exec(
    `UPDATE audit_records SET database_user = (SELECT id FROM audit_texts WHERE text = 'app_ro') WHERE sequence = 1`,
  );
  db.close();
  const config = readFileSync(join(state, 'config.yaml'), 'utf8').replace('path: audit.db', 'path: edited.db');
  writeFileSync(join(state, 'edited.yaml'), config);
  return 'edited.yaml';
}

/** Runs `rds-token-vendor audit verify` with what the service printed. */
export async function verifyAudit(
  state: string,
  config: string,
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const args = ['audit', 'verify', '--config', join(state, config), '--checkpoints', join(state, 'service.log')];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const output = await text(child.stdout);
  const [status] = await ended;
  return { status: Number(status), lines: output.trim().split('\n') };
}
