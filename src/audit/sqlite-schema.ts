import type { DatabaseSync } from 'node:sqlite';
import type { AuditRecord } from '../issuance/audit-record.ts';

/** 'RTVA': tells our files from other programs' (SQLite: `PRAGMA application_id`). */
const applicationId = 0x52545641;

/** The column of every field of the record; `user` and `grant` are words of SQL. */
const columnOf = {
  version: 'version',
  id: 'id',
  time: 'time',
  action: 'action',
  outcome: 'outcome',
  reason: 'reason',
  detail: 'detail',
  issuer: 'issuer',
  subject: 'subject',
  jtiHash: 'jti_hash',
  database: 'database',
  endpoint: 'endpoint',
  host: 'host',
  port: 'port',
  region: 'region',
  user: 'database_user',
  resourceArn: 'resource_arn',
  grant: 'grant_name',
  configHash: 'config_hash',
  tokenFingerprint: 'token_fingerprint',
  tokenExpiresAt: 'token_expires_at',
  accessKeyId: 'access_key_id',
  client: 'client',
  clientAddress: 'client_address',
  userAgent: 'user_agent',
  requestId: 'request_id',
} as const satisfies Record<keyof AuditRecord, string>;

/** The values of a record in the order of `insertRecord`, without instance and sequence. */
export type SqliteRow = readonly (string | number | null)[];

export function rowOf(record: AuditRecord): SqliteRow {
  const values: Readonly<Record<string, string | number | null>> = record;
  return fields.map((field) => values[field] ?? null);
}

const fields = Object.keys(columnOf);
const columns = [...Object.values(columnOf), 'instance', 'sequence'];

export const insertRecord = `INSERT INTO audit_records (${columns.join(', ')})
  VALUES (${columns.map(() => '?').join(', ')})`;

/**
 * Each step takes a store from one `user_version` to the next; written steps never change. Ids are UUIDv7, so the
 * index of the primary key is in order of time as well.
 */
const migrations = [
  `CREATE TABLE audit_records (
    id TEXT NOT NULL PRIMARY KEY,
    instance TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    issuer TEXT,
    subject TEXT,
    jti_hash TEXT,
    database TEXT,
    endpoint TEXT,
    host TEXT,
    port INTEGER,
    region TEXT,
    database_user TEXT,
    resource_arn TEXT,
    grant_name TEXT,
    config_hash TEXT NOT NULL,
    token_fingerprint TEXT,
    token_expires_at INTEGER,
    access_key_id TEXT,
    client TEXT,
    client_address TEXT,
    user_agent TEXT,
    request_id TEXT,
    UNIQUE (instance, sequence)
  ) STRICT;
  CREATE TABLE audit_probe (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), time INTEGER NOT NULL) STRICT;
  INSERT INTO audit_probe (one, time) VALUES (1, 0);`,
];

/** Throws for a file that is another program's or of a newer version. Reads only. */
export function refuseForeignSchema(db: DatabaseSync): void {
  const id = numberOf(db, 'SELECT application_id FROM pragma_application_id');
  if (id !== applicationId && (id !== 0 || numberOf(db, 'SELECT count(*) FROM sqlite_schema') > 0)) {
    throw new Error('it is a SQLite database of another program');
  }
  const version = schemaVersion(db);
  if (version > migrations.length) {
    throw new Error(
      `its schema version is ${version} and this program knows versions up to ${migrations.length}: ` +
        'run the newer rds-token-vendor that wrote it',
    );
  }
}

/** Whether nothing was ever stored in the file. */
export function hasNoSchema(db: DatabaseSync): boolean {
  return schemaVersion(db) === 0;
}

/** Brings an empty or older store to the present version, under the write lock: two instances may start at once. */
export function migrate(db: DatabaseSync): void {
  if (schemaVersion(db) === migrations.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    refuseForeignSchema(db);
    for (const step of migrations.slice(schemaVersion(db))) db.exec(step);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function schemaVersion(db: DatabaseSync): number {
  return numberOf(db, 'SELECT user_version FROM pragma_user_version');
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}
