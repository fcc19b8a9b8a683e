import type { KeptClaims } from './caller.ts';

/**
 * One flat, versioned record per decision. It never holds a JWT, an auth token, a secret or a whole claim set.
 * Fields that a decision did not reach are null.
 */
export type AuditRecord = {
  readonly version: 1;
  /** UUIDv7. */
  readonly id: string;
  /** When the request arrived, milliseconds since the epoch. */
  readonly time: number;
  /** What was asked. */
  readonly action: Action;
  readonly outcome: RecordedOutcome;
  /** A refusal's reason or a fault's code; null when issued or answered. */
  readonly reason: string | null;
  /** Evidence for operators, one sentence without secrets. */
  readonly detail: string | null;
  /** How many identical refusals of a flood this record stands for; otherwise 1. */
  readonly repeated: number;
  readonly issuer: string | null;
  readonly subject: string | null;
  /** The claims that the configuration keeps (`keepClaims`), by their path. */
  readonly claims: KeptClaims | null;
  /** SHA-256 of the JWT's `jti`, hex: ties the record to the IdP's log without repeating a replayable value. */
  readonly jtiHash: string | null;
  readonly database: string | null;
  readonly endpoint: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly region: string | null;
  readonly user: string | null;
  readonly resourceArn: string | null;
  /** The grant that allowed it, or denied it. */
  readonly grant: string | null;
  /** Grants in mode `observe` that it concerned, the first `MOST_OBSERVED` of them; null where there are none. */
  readonly observed: readonly string[] | null;
  /** SHA-256 of the configuration that decided, hex. */
  readonly configHash: string;
  /** SHA-256 of the auth token, hex: finds the record of a leaked token. */
  readonly tokenFingerprint: string | null;
  /** Milliseconds since the epoch. */
  readonly tokenExpiresAt: number | null;
  readonly accessKeyId: string | null;
  /** The role that was assumed for the database; null when the service's own credentials signed. */
  readonly roleArn: string | null;
  /** The program the caller named in `client`. */
  readonly client: string | null;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** The trace id of a W3C `traceparent` header, 32 hex digits. */
  readonly traceId: string | null;
};

/** Grants named in `observed`: however many a configuration has, a record stays small. */
export const MOST_OBSERVED = 32;

export const ACTIONS = [
  ...(['token.issue', 'database.list', 'database.get', 'caller.get'] as const),
  ...(['audit.list', 'audit.get', 'audit.export', 'audit.find'] as const),
] as const;

export type Action = (typeof ACTIONS)[number];

/** `answered` is a success that issued nothing: reading the audit. */
export const OUTCOMES = ['issued', 'answered', 'refused', 'failed'] as const;

export type RecordedOutcome = (typeof OUTCOMES)[number];

/** What the transport knows of a request, before anything of it is believed. */
export type RequestFacts = {
  readonly action: Action;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
};

/** Where audit records become durable. The stores add their own instance name and sequence number. */
export type AuditLog = {
  /**
   * Resolves once the record survives a power cut, with the id of the record that says so: its own, or the one that
   * counts it together with identical refusals. Rejects with a `Fault` of code `audit_unavailable` when it cannot be
   * known to, within a second: whoever awaits it must then drop what the record was about.
   */
  record(record: AuditRecord): Promise<string>;
  /** Resolves when the store could take a record now; rejects with the same `Fault` otherwise. */
  probe(): Promise<void>;
  /** Waits for records under way, then closes. */
  close(): Promise<void>;
};

/** A record under way: every field is unknown until some step learns it. */
export type AuditDraft = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] };

/** Begins the record of a decision, before the bearer is read. It says `failed` until the decision is known. */
export function beginAuditRecord(id: string, time: number, configHash: string, facts: RequestFacts): AuditDraft {
  return {
    version: 1,
    id,
    time,
    action: facts.action,
    outcome: 'failed',
    reason: null,
    detail: null,
    repeated: 1,
    issuer: null,
    subject: null,
    claims: null,
    jtiHash: null,
    database: null,
    endpoint: null,
    host: null,
    port: null,
    region: null,
    user: null,
    resourceArn: null,
    grant: null,
    observed: null,
    configHash,
    tokenFingerprint: null,
    tokenExpiresAt: null,
    accessKeyId: null,
    roleArn: null,
    client: null,
    clientAddress: facts.clientAddress,
    userAgent: facts.userAgent,
    requestId: facts.requestId,
    traceId: facts.traceId,
  };
}
