import { z } from 'zod';
import { ACTIONS, MOST_OBSERVED, OUTCOMES } from '../issuance/audit-record.ts';
import type { PublishedRecord } from '../issuance/published-record.ts';

/* What is asked of the audit over HTTP, and what a record looks like: the source of openapi/audit-record.schema.json. */

export const AUDIT_FORMATS = ['json', 'ndjson', 'csv'] as const;

export type AuditFormat = (typeof AUDIT_FORMATS)[number];

const LIMITS = 'must be a whole number from 1 to 1000';

/** As long as a JWT's subject may be. */
const MAX_SUBJECT = 1024;

const moment = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 instant with Z or an offset; in a URL + is written %2B' })
  .refine((text) => !/\.\d{4}/.test(text), 'must have at most three digits after the second')
  .refine((text) => !(Date.parse(text) < 0), 'must be in 1970 or later');

/** No record holds a NUL, and PostgreSQL takes none. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !text.includes('\0'), 'must not hold a NUL');

export const auditQuerySchema = z.strictObject({
  from: moment.optional().describe('Records of this time and later: RFC 3339 with `Z` or an offset.'),
  to: moment.optional().describe('Records before this time: RFC 3339 with `Z` or an offset.'),
  issuer: text(255).optional().describe("The issuer's name in the configuration."),
  caller: text(MAX_SUBJECT).optional().describe('The subject of the caller, exactly.'),
  database: text(255).optional().describe('The database that was asked for.'),
  user: text(255).optional().describe('The database user that was asked for.'),
  endpoint: text(255).optional().describe('The endpoint of the database.'),
  outcome: z.enum(OUTCOMES).optional().describe('How it ended.'),
  grant: text(255).optional().describe("The name of the grant, or of the auditor's entry."),
  observed: text(255).optional().describe('A grant in mode `observe` that the record names.'),
  action: z.enum(ACTIONS).optional().describe('What was asked.'),
  limit: z.int(LIMITS).min(1, LIMITS).max(1000, LIMITS).default(100).describe('At most so many records.'),
  cursor: text(16_384).optional().describe('`next` of the page before, with the same conditions.'),
  format: z.enum(AUDIT_FORMATS).optional().describe('The form of the answer; it wins over `Accept`.'),
});

export type AuditParameters = z.output<typeof auditQuerySchema>;

const instant = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const known = z.string().nullable();

export const auditRecordSchema = z.strictObject({
  id: z.uuid().describe('A UUIDv7 of `time`.'),
  time: instant.describe('When the request arrived.'),
  version: z.literal(1).describe('Of this form of the record.'),
  action: z.enum(ACTIONS).describe('What was asked.'),
  outcome: z.enum(OUTCOMES).describe('`answered` is a success that issued nothing: reading the audit.'),
  reason: known.describe("A refusal's reason or a fault's code; null when issued or answered."),
  detail: known.describe(
    'Evidence for operators, one sentence; for a reading of the audit, JSON of what was asked for and which records were shown.',
  ),
  repeated: z
    .int()
    .min(1)
    .describe('How many identical refusals, or faults, of a flood the record stands for; otherwise 1.'),
  issuer: known.describe("The issuer's name in the configuration."),
  subject: known.describe('The `sub` of the JWT.'),
  claims: z
    .record(z.string(), z.union([scalar, z.array(scalar)]))
    .nullable()
    .describe('The claims that `audit.keepClaims` names, by their path.'),
  jti_hash: sha256.nullable().describe("SHA-256 of the JWT's `jti`, hex."),
  database: known.describe('The database that was asked for.'),
  endpoint: known.describe('The endpoint of the database.'),
  host: known.describe('The RDS endpoint that the token is signed for.'),
  port: z.int().min(0).max(65_535).nullable().describe('Of that endpoint.'),
  region: known.describe('The AWS region of the database.'),
  user: known.describe('The database user that was asked for.'),
  resource_arn: known.describe('The ARN of the database user, as in an IAM policy for `rds-db:connect`.'),
  grant: known.describe("The name of the grant that allowed it or denied it, or of the auditor's entry."),
  observed: z
    .array(z.string())
    .min(1)
    .max(MOST_OBSERVED)
    .nullable()
    .describe(
      `The grants in mode \`observe\` that it concerned, the first ${MOST_OBSERVED} of them; null where there are none.`,
    ),
  config_hash: sha256.describe('SHA-256 of the configuration that decided, hex.'),
  token_fingerprint: sha256.nullable().describe('SHA-256 of the auth token, hex: finds the record of a leaked token.'),
  token_expires_at: instant.nullable().describe("The end of the token's life."),
  access_key_id: known.describe('The AWS access key that signed.'),
  role_arn: known.describe("The role that was assumed; null when the service's own credentials signed."),
  client: known.describe('The program that the caller named in `client`.'),
  client_address: known.describe('The IP address that the request came from.'),
  user_agent: known.describe('As sent, cut to 256 characters: believe nothing of it.'),
  request_id: known.describe('As sent in `X-Request-Id`.'),
  trace_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable()
    .describe('The trace id of a W3C `traceparent` header.'),
  instance: z.string().describe('Who wrote it. Each instance has a chain of its own.'),
  sequence: z.int().min(1).describe("Counts the instance's records from 1, without gaps."),
  previous_hash: sha256.nullable().describe("`hash` of the instance's record before; null for its first."),
  hash: sha256.describe('`SHA-256(0x00 || canonical)`, hex; `canonical` is RFC 8785 of the record without `hash`.'),
});

type Read = z.output<typeof auditRecordSchema>;
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;
type Holds<Claim extends true> = Claim;

/** Does not compile when the schema and the type part ways. Lists one way only: zod's are not readonly. */
export type SchemaFits = [
  Holds<Same<Omit<Read, 'claims' | 'observed'>, Omit<PublishedRecord, 'claims' | 'observed'>>>,
  Holds<[Read] extends [PublishedRecord] ? true : false>,
];

export const auditEventSchema = auditRecordSchema.meta({ id: 'AuditRecord', description: 'One decision.' });

export const auditEventsSchema = z
  .strictObject({
    events: z.array(auditEventSchema).describe('Newest first. Fewer than `limit`, even none, is not the end.'),
    next: z.string().nullable().describe('The `cursor` of the next page; null at the end.'),
  })
  .meta({ id: 'AuditEvents' });
