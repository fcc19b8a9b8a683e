import type { DatabaseSync } from 'node:sqlite';

/** 'RTVA': tells our files from other programs' (SQLite: `PRAGMA application_id`). */
const APPLICATION_ID = 0x52545641;

/** Positions of one millisecond: `position = time * POSITIONS + n`. JavaScript counts them exactly until the year 2248. */
export const POSITIONS = 1024;

/** Texts that the partial indexes below name by number. */
export const SEEDED = { 'token.issue': 1, issued: 2 } as const;

/**
 * The columns of a record behind position, id, instance, sequence and hash, and the field each holds. Texts that many
 * records share are numbers of `audit_texts`: a record takes under 500 bytes, and an index entry about 20.
 */
export const COLUMNS = [
  { column: 'version', field: 'version', form: 'plain' },
  { column: 'action', field: 'action', form: 'text' },
  { column: 'outcome', field: 'outcome', form: 'text' },
  { column: 'reason', field: 'reason', form: 'text' },
  { column: 'detail', field: 'detail', form: 'plain' },
  { column: 'repeated', field: 'repeated', form: 'plain' },
  { column: 'issuer', field: 'issuer', form: 'text' },
  { column: 'subject', field: 'subject', form: 'text' },
  { column: 'claims', field: 'claims', form: 'text' },
  { column: 'jti_hash', field: 'jtiHash', form: 'hex' },
  { column: 'database', field: 'database', form: 'text' },
  { column: 'endpoint', field: 'endpoint', form: 'text' },
  { column: 'host', field: 'host', form: 'text' },
  { column: 'port', field: 'port', form: 'plain' },
  { column: 'region', field: 'region', form: 'text' },
  { column: 'database_user', field: 'user', form: 'text' },
  { column: 'resource_arn', field: 'resourceArn', form: 'text' },
  { column: 'grant_name', field: 'grant', form: 'text' },
  { column: 'observed', field: 'observed', form: 'text' },
  { column: 'config_hash', field: 'configHash', form: 'text' },
  { column: 'token_fingerprint', field: 'tokenFingerprint', form: 'hex' },
  { column: 'token_expires_at', field: 'tokenExpiresAt', form: 'plain' },
  { column: 'access_key_id', field: 'accessKeyId', form: 'text' },
  { column: 'role_arn', field: 'roleArn', form: 'text' },
  { column: 'client', field: 'client', form: 'text' },
  { column: 'client_address', field: 'clientAddress', form: 'text' },
  { column: 'user_agent', field: 'userAgent', form: 'text' },
  { column: 'request_id', field: 'requestId', form: 'plain' },
  { column: 'trace_id', field: 'traceId', form: 'hex' },
] as const;

/** The columns that pages are filtered by, each with an index of its own; records of one value are in order in it. */
export const FILTER_COLUMNS = {
  issuer: 'issuer',
  subject: 'subject',
  database: 'database',
  user: 'database_user',
  endpoint: 'endpoint',
  grant: 'grant_name',
  action: 'action',
  outcome: 'outcome',
} as const;

/** Most records are issued tokens: finding those needs no index. The number of a column's text that its index leaves out. */
export const UNINDEXED: Readonly<Record<string, number>> = { action: SEEDED['token.issue'], outcome: SEEDED.issued };

const typeOf = { plain: '', text: 'INTEGER', hex: 'BLOB' };
const PLAIN_TYPES: Readonly<Record<string, string>> = { detail: 'TEXT', request_id: 'TEXT' };

/** The columns of a record that hold a text of their own. */
export const TEXT_COLUMNS: readonly string[] = Object.keys(PLAIN_TYPES);

const recordColumns = COLUMNS.map(
  ({ column, form }) => `${column} ${typeOf[form] || (PLAIN_TYPES[column] ?? 'INTEGER')}`,
);

const uuidOf = (blob: string) => {
  const hex = `lower(hex(${blob}))`;
  const part = (from: number, length: number) => `substr(${hex}, ${from}, ${length})`;
  return [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ");
};

/** RFC 3339 in UTC of milliseconds since the epoch. */
const instantOf = (milliseconds: string) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${milliseconds} / 1000.0, 'unixepoch')`;

/** For people with `sqlite3`: records as everybody reads them, without `previous_hash`. */
const viewColumns = [
  `${uuidOf('r.id')} AS id`,
  `${instantOf(`r.position / ${POSITIONS}`)} AS time`,
  '(SELECT name FROM audit_instances WHERE instance = r.instance) AS instance',
  'r.sequence',
  ...COLUMNS.map(({ column, form }) => {
    if (form === 'text') return `(SELECT text FROM audit_texts WHERE id = r.${column}) AS ${column}`;
    if (column === 'token_expires_at') return `${instantOf(`r.${column}`)} AS ${column}`;
    // hex(NULL) is an empty text.
    return form === 'hex' ? `nullif(lower(hex(r.${column})), '') AS ${column}` : `r.${column}`;
  }),
  'lower(hex(r.hash)) AS hash',
];

/** Each step takes a store from one `user_version` to the next; written steps never change. */
const MIGRATIONS = [
  `CREATE TABLE audit_texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL UNIQUE,
    -- The last day, counted from the epoch, of whose records it is known to be part: when all of them went, it goes.
    last_day INTEGER NOT NULL
  ) STRICT;
  INSERT INTO audit_texts (id, text, last_day) VALUES ${Object.entries(SEEDED)
    .map(([text, id]) => `(${id}, '${text}', 1000000000)`)
    .join(', ')};
  CREATE TABLE audit_instances (
    instance INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL,
    hash BLOB,
    frontier BLOB NOT NULL,
    checkpoint TEXT NOT NULL,
    anchor_sequence INTEGER NOT NULL DEFAULT 0,
    anchor_hash BLOB,
    anchor_frontier BLOB
  ) STRICT;
  CREATE TABLE audit_checkpoints (
    instance INTEGER NOT NULL,
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (instance, size)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit_records (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    instance INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    ${recordColumns.join(',\n    ')},
    UNIQUE (instance, sequence)
  ) STRICT;
  ${Object.values(FILTER_COLUMNS)
    .map((column) => `CREATE INDEX audit_by_${column} ON audit_records (${column})${wherePartial(column)};`)
    .join('\n  ')}
  -- Few records have it: whoever looks for one of its names looks at all of them, newest first.
  CREATE INDEX audit_by_observed ON audit_records (position) WHERE observed IS NOT NULL;
  CREATE VIEW audit_events AS SELECT ${viewColumns.join(', ')} FROM audit_records r;
  CREATE TABLE audit_probe (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), time INTEGER NOT NULL) STRICT;
  INSERT INTO audit_probe (one, time) VALUES (1, 0);`,
];

/** Versions up to 2 were of a program that was never released: without a chain, then without `observed` in the records. */
const FIRST_VERSION = 2;

function wherePartial(column: string): string {
  if (column === 'action') return ` WHERE action <> ${SEEDED['token.issue']}`;
  return column === 'outcome' ? ` WHERE outcome <> ${SEEDED.issued}` : '';
}

/** What `ANALYZE` makes: an operator may run it, and it hides nothing. Anything else of these names is not let pass. */
const STATISTICS: Readonly<Record<string, string>> = {
  sqlite_stat1: 'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  sqlite_stat4: 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)',
};

type SchemaObject = { readonly type: string; readonly name: string; readonly sql: string };

/** Every table, index, view and trigger of a store, as `sqlite_schema` shows them, but for statistics. */
export function describeSchema(db: DatabaseSync): SchemaObject[] {
  const rows = db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
  return rows
    .map(({ type, name, sql }) => ({ type: String(type), name: String(name), sql: String(sql) }))
    .filter(({ type, name, sql }) => type !== 'table' || STATISTICS[name] !== sql);
}

/** Throws for a file that is another program's or of another version. Reads only. */
export function refuseForeignSchema(db: DatabaseSync): void {
  const id = numberOf(db, 'SELECT application_id FROM pragma_application_id');
  if (id !== APPLICATION_ID && (id !== 0 || numberOf(db, 'SELECT count(*) FROM sqlite_schema') > 0)) {
    throw new Error('it is a SQLite database of another program');
  }
  const version = schemaVersion(db);
  const newest = FIRST_VERSION + MIGRATIONS.length;
  if (version > newest) {
    throw new Error(
      `its schema version is ${version} and this program knows versions up to ${newest}: ` +
        'run the newer rds-token-vendor that wrote it',
    );
  }
  if (version !== 0 && version <= FIRST_VERSION) {
    throw new Error('it was written by a program that was never released: keep it elsewhere and begin a new one');
  }
}

/** Whether nothing was ever stored in the file. */
export function hasNoSchema(db: DatabaseSync): boolean {
  return schemaVersion(db) === 0;
}

/** Brings an empty or older store to the present version, under the write lock: two instances may start at once. */
export function migrate(db: DatabaseSync): void {
  const newest = FIRST_VERSION + MIGRATIONS.length;
  if (schemaVersion(db) === newest) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    refuseForeignSchema(db);
    for (const step of MIGRATIONS.slice(Math.max(0, schemaVersion(db) - FIRST_VERSION))) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${newest}`);
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
