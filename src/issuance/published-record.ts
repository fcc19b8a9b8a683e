import type { Action, AuditRecord, RecordedOutcome } from './audit-record.ts';
import type { KeptClaims } from './caller.ts';

/**
 * An audit record as everybody reads it: in every store, export and copy. Its JSON Schema is
 * `openapi/audit-record.schema.json`. All members are always there; times are RFC 3339 in UTC with milliseconds.
 */
export type PublishedRecord = {
  readonly access_key_id: string | null;
  readonly action: Action;
  readonly claims: KeptClaims | null;
  readonly client: string | null;
  readonly client_address: string | null;
  readonly config_hash: string;
  readonly database: string | null;
  readonly detail: string | null;
  readonly endpoint: string | null;
  readonly grant: string | null;
  /** `SHA-256(0x00 || canonical)`, hex: the RFC 6962 leaf hash. `canonical` is RFC 8785 without this member. */
  readonly hash: string;
  readonly host: string | null;
  readonly id: string;
  /** Who wrote it. Each instance has a chain of its own. */
  readonly instance: string;
  readonly issuer: string | null;
  readonly jti_hash: string | null;
  readonly observed: readonly string[] | null;
  readonly outcome: RecordedOutcome;
  readonly port: number | null;
  /** `hash` of the instance's record before; null for its first. */
  readonly previous_hash: string | null;
  readonly reason: string | null;
  readonly region: string | null;
  readonly repeated: number;
  readonly request_id: string | null;
  readonly resource_arn: string | null;
  readonly role_arn: string | null;
  /** Counts the instance's records from 1, without gaps. */
  readonly sequence: number;
  readonly subject: string | null;
  readonly time: string;
  readonly token_expires_at: string | null;
  readonly token_fingerprint: string | null;
  readonly trace_id: string | null;
  readonly user: string | null;
  readonly user_agent: string | null;
  readonly version: 1;
};

/** A record's place in its chain. */
export type ChainLink = {
  readonly instance: string;
  readonly sequence: number;
  readonly previousHash: string | null;
};

/**
 * The canonical text of a record: RFC 8785 (JCS) of the published record without `hash`. The members below are in the
 * order JCS sorts them in, and `JSON.stringify` writes texts, integers and null as JCS does.
 */
export function canonicalText(record: AuditRecord, { instance, sequence, previousHash }: ChainLink): string {
  const published: Omit<PublishedRecord, 'hash'> = {
    access_key_id: record.accessKeyId,
    action: record.action,
    claims: sorted(record.claims),
    client: record.client,
    client_address: record.clientAddress,
    config_hash: record.configHash,
    database: record.database,
    detail: record.detail,
    endpoint: record.endpoint,
    grant: record.grant,
    host: record.host,
    id: record.id,
    instance,
    issuer: record.issuer,
    jti_hash: record.jtiHash,
    observed: record.observed,
    outcome: record.outcome,
    port: record.port,
    previous_hash: previousHash,
    reason: record.reason,
    region: record.region,
    repeated: record.repeated,
    request_id: record.requestId,
    resource_arn: record.resourceArn,
    role_arn: record.roleArn,
    sequence,
    subject: record.subject,
    time: new Date(record.time).toISOString(),
    token_expires_at: record.tokenExpiresAt === null ? null : new Date(record.tokenExpiresAt).toISOString(),
    token_fingerprint: record.tokenFingerprint,
    trace_id: record.traceId,
    user: record.user,
    user_agent: record.userAgent,
    version: record.version,
  };
  return JSON.stringify(published);
}

/** JCS sorts names by UTF-16 code units, which is how JavaScript compares strings. */
function sorted(claims: KeptClaims | null): KeptClaims | null {
  if (claims === null) return null;
  return Object.fromEntries(
    Object.keys(claims)
      .sort()
      .map((name) => [name, claims[name] ?? '']),
  );
}

/** One line of NDJSON, without its line end: the canonical text and the hash behind it. */
export function publishedLine(canonical: string, hash: string): string {
  return `${canonical.slice(0, -1)},"hash":"${hash}"}`;
}
