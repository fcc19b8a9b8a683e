import { ACTIONS, type AuditRecord, OUTCOMES } from '../issuance/audit-record.ts';

type Kind =
  | 'text?'
  | 'integer'
  | 'integer?'
  | 'uuid'
  | 'sha256'
  | 'sha256?'
  | 'trace?'
  | 'claims'
  | 'names?'
  | 'action'
  | 'outcome';

/** What every field of a record may hold. Its order is that of a row. */
export const RECORD_FIELDS = {
  version: 'integer',
  id: 'uuid',
  time: 'integer',
  action: 'action',
  outcome: 'outcome',
  reason: 'text?',
  detail: 'text?',
  repeated: 'integer',
  issuer: 'text?',
  subject: 'text?',
  claims: 'claims',
  jtiHash: 'sha256?',
  database: 'text?',
  endpoint: 'text?',
  host: 'text?',
  port: 'integer?',
  region: 'text?',
  user: 'text?',
  resourceArn: 'text?',
  grant: 'text?',
  observed: 'names?',
  configHash: 'sha256',
  tokenFingerprint: 'sha256?',
  tokenExpiresAt: 'integer?',
  accessKeyId: 'text?',
  roleArn: 'text?',
  client: 'text?',
  clientAddress: 'text?',
  userAgent: 'text?',
  requestId: 'text?',
  traceId: 'trace?',
} as const satisfies Record<keyof AuditRecord, Kind>;

export type RecordField = keyof AuditRecord;

const FIELDS = Object.entries(RECORD_FIELDS);

/** A record as a flat list, which crosses to a thread several times faster than an object. Claims and lists are JSON. */
export type RecordRow = readonly (string | number | null)[];

/** @throws {TypeError} for a value that no store could keep: such a record is refused, and those beside it are not. */
export function rowOf(record: AuditRecord): RecordRow {
  const values: Readonly<Record<string, unknown>> = record;
  return FIELDS.map(([field, kind]) => checked(field, kind, values[field] ?? null));
}

/** The record of a row that `rowOf` made. Written out, which is several times faster than a loop over the fields. */
export function recordOf(row: RecordRow): AuditRecord {
  const [
    version,
    id,
    time,
    action,
    outcome,
    reason,
    detail,
    repeated,
    issuer,
    subject,
    claims,
    jtiHash,
    database,
    endpoint,
    host,
    ...rest
  ] = row;
  const [
    port,
    region,
    user,
    resourceArn,
    grant,
    observed,
    configHash,
    tokenFingerprint,
    tokenExpiresAt,
    accessKeyId,
    roleArn,
    client,
    clientAddress,
    userAgent,
    requestId,
    traceId,
  ] = rest;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rowOf checked each value and keeps this order
  return {
    version,
    id,
    time,
    action,
    outcome,
    reason,
    detail,
    repeated,
    issuer,
    subject,
    claims: typeof claims === 'string' ? JSON.parse(claims) : null,
    jtiHash,
    database,
    endpoint,
    host,
    port,
    region,
    user,
    resourceArn,
    grant,
    observed: typeof observed === 'string' ? JSON.parse(observed) : null,
    configHash,
    tokenFingerprint,
    tokenExpiresAt,
    accessKeyId,
    roleArn,
    client,
    clientAddress,
    userAgent,
    requestId,
    traceId,
  } as AuditRecord;
}

const ID_AT = FIELDS.findIndex(([field]) => field === 'id');

export function rowId(row: RecordRow): string {
  return String(row[ID_AT]);
}

const SHA256 = /^[0-9a-f]{64}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function checked(field: string, kind: Kind, value: unknown): string | number | null {
  if (value === null && (kind === 'claims' || kind.endsWith('?'))) return null;
  switch (kind) {
    case 'integer':
    case 'integer?':
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
      break;
    case 'text?':
      if (typeof value === 'string') return asUtf8(value);
      break;
    case 'sha256':
    case 'sha256?':
      if (typeof value === 'string' && SHA256.test(value)) return value;
      break;
    case 'trace?':
      if (typeof value === 'string' && TRACE_ID.test(value)) return value;
      break;
    case 'uuid':
      if (typeof value === 'string' && UUID.test(value)) return value;
      break;
    case 'action':
      if (ACTIONS.some((action) => action === value)) return String(value);
      break;
    case 'outcome':
      if (OUTCOMES.some((outcome) => outcome === value)) return String(value);
      break;
    case 'names?':
      if (isNames(value)) return JSON.stringify(value.map(asUtf8));
      break;
    case 'claims':
      if (typeof value === 'object')
        return JSON.stringify(value, (_, member) => (typeof member === 'string' ? asUtf8(member) : member));
      break;
  }
  throw new TypeError(`its ${field} is not of the kind ${kind}`);
}

/** A list of none is null: what has no names is to be told by one value. */
function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
}

/**
 * What every store can keep: half a surrogate pair has no UTF-8, and PostgreSQL keeps no NUL. Both become U+FFFD, so
 * that a record is the same wherever it is.
 */
function asUtf8(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}
