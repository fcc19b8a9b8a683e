import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { ReadRecord } from './published-records.ts';

/** Columns whose values are numbers of `audit_texts`. */
const TEXTS = new Set([
  ...['action', 'outcome', 'reason', 'issuer', 'subject', 'claims', 'database', 'endpoint', 'host', 'region'],
  ...['database_user', 'resource_arn', 'grant_name', 'observed', 'config_hash', 'access_key_id', 'role_arn', 'client'],
  ...['client_address', 'user_agent'],
]);
const NAMES: Readonly<Record<string, string>> = { database_user: 'user', grant_name: 'grant' };

/** Every record of a SQLite store, read over a connection of its own, in the order of instance and sequence. */
export function readSqliteRecords(path: string): ReadRecord[] {
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const texts = new Map(
      db
        .prepare('SELECT id, text FROM audit_texts')
        .all()
        .map(({ id, text }) => [id, text]),
    );
    const names = new Map(
      db
        .prepare('SELECT instance, name FROM audit_instances')
        .all()
        .map(({ instance, name }) => [instance, String(name)]),
    );
    const rows = db.prepare('SELECT * FROM audit_records').all();
    const records = rows.map(({ position, hash: _hash, id, instance, ...columns }): ReadRecord => {
      const fields = Object.entries(columns).map(([name, value]) => [
        NAMES[name] ?? name,
        TEXTS.has(name) && value !== null ? texts.get(value) : plain(value),
      ]);
      const { claims, observed, token_expires_at: end, ...rest } = Object.fromEntries(fields);
      const all = {
        ...rest,
        id: uuid(id),
        instance: names.get(instance),
        time: new Date(Math.floor(Number(position) / 1024)).toISOString(),
        claims: claims === null ? null : JSON.parse(claims),
        observed: observed === null ? null : JSON.parse(observed),
        token_expires_at: end === null ? null : new Date(end).toISOString(),
      };
      return all;
    });
    return records.sort((a, b) => a.instance.localeCompare(b.instance) || a.sequence - b.sequence);
  } finally {
    db.close();
  }
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function uuid(value: unknown): string {
  const hex = String(plain(value));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
