import { z } from 'zod';
import { FORMATS } from '../rds/render-auth-token.ts';

/*
 * The shapes of the API, the single source of openapi/openapi.json and of what a request is checked against.
 */

const instant = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const tokenRequestSchema = z
  .strictObject({
    database: z.string().min(1).max(255).optional().describe('A database of the catalog.'),
    user: z.string().min(1).max(255).optional().describe('The database user to be.'),
    endpoint: z.string().min(1).max(255).optional().describe('An endpoint of the database; `writer` when left out.'),
    min_remaining: z
      .int()
      .min(1)
      .max(900)
      .optional()
      .describe(
        'Seconds that the token must live at least; 60 when left out. 503 where the AWS credentials end before.',
      ),
    format: z.enum(FORMATS).optional().describe('The rendering of the answer; `json` when left out.'),
    client: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._+/ -]{0,63}$/, 'must be 1 to 64 letters, digits, spaces and . _ + / -')
      .optional()
      .describe(
        'The program that will connect. Recorded. Some are given the token as they need it, or a 422 where none fits: docs/connect.md.',
      ),
  })
  .meta({ id: 'TokenRequest', description: 'Fields may be left out where the grants of the caller leave one choice.' });

export type WantedToken = z.output<typeof tokenRequestSchema>;

const connection = z
  .strictObject({
    engine: z.enum(['postgres', 'mysql', 'mariadb']),
    host: z.string().describe('Where to connect.'),
    port: z.int(),
    database: z.string().describe('The database inside the server.'),
    user: z.string(),
    region: z.string(),
    sslmode: z.literal('verify-full'),
    application_name: z.string().describe('Ties the database session to the audit record.'),
    connection_attributes: z
      .strictObject({ rtv_audit_id: z.string() })
      .optional()
      .describe('MySQL and MariaDB: ties the session to the audit record, as attributes of the connection.'),
  })
  .meta({ id: 'Connection' });

const caBundleReference = z
  .strictObject({
    id: z.string(),
    href: z.string().describe('Path of the PEM on this service.'),
    source_url: z.string().nullable().describe("Where AWS publishes it; null for an operator's own file."),
    sha256,
    certificates: z.int(),
    not_after: instant.describe('The earliest end of a certificate.'),
  })
  .meta({ id: 'CaBundleReference' });

export const tokenResponseSchema = z
  .strictObject({
    token: z.string().describe('The RDS auth token: what the database asks for as a password.'),
    issued_at: instant,
    expires_at: instant.describe(
      'The earlier of 900 s after issued_at and the end of the AWS credentials that signed.',
    ),
    expires_in: z.int().describe('Seconds.'),
    limited_by: z.enum(['rds', 'credentials']).describe('Which of the two ends the life.'),
    refresh_after: instant.describe('Two thirds of the life: when to ask for the next token.'),
    token_bytes: z.int(),
    audit_id: z.uuid(),
    connection,
    ca_bundle: caBundleReference,
  })
  .meta({ id: 'TokenResponse' });

export type TokenResponse = z.output<typeof tokenResponseSchema>;

const endpointFacts = z
  .strictObject({ host: z.string(), port: z.int(), users: z.array(z.string()) })
  .meta({ id: 'EndpointFacts' });

export const databaseSchema = z
  .strictObject({
    name: z.string(),
    engine: z.enum(['postgres', 'mysql', 'mariadb']),
    region: z.string(),
    database: z.string(),
    sslmode: z.literal('verify-full'),
    endpoints: z.record(z.string(), endpointFacts),
    ca_bundle: z.strictObject({ id: z.string(), href: z.string() }),
  })
  .meta({ id: 'Database', description: 'What this caller may ask for in one database.' });

export type DatabaseFacts = z.output<typeof databaseSchema>;
export const databasesSchema = z.strictObject({ databases: z.array(databaseSchema) }).meta({ id: 'Databases' });

export const whoamiSchema = z
  .strictObject({
    issuer: z.string().describe("The issuer's name in the configuration."),
    subject: z.string(),
    expires_at: instant.describe('The end of the JWT.'),
    grants: z.array(z.string()).describe('Names of the grants that match.'),
  })
  .meta({ id: 'Whoami' });

const certificate = z
  .strictObject({
    subject: z.string(),
    ca_id: z.string().nullable().describe("AWS's name of the CA; null where it is not an RDS root."),
    sha256,
    sha1: z.string().regex(/^[0-9a-f]{40}$/),
    not_before: instant,
    not_after: instant,
  })
  .meta({ id: 'CaCertificate' });

export const caBundleSchema = z
  .strictObject({
    id: z.string(),
    href: z.string(),
    origin: z.enum(['built-in', 'file', 'fetched']),
    source_url: z.string().nullable(),
    sha256,
    not_after: instant,
    certificates: z.array(certificate),
  })
  .meta({ id: 'CaBundle' });

export type CaBundleFacts = z.output<typeof caBundleSchema>;
export const caBundlesSchema = z.strictObject({ ca_bundles: z.array(caBundleSchema) }).meta({ id: 'CaBundles' });

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    audit_id: z.uuid().optional(),
    problems: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
    choices: z
      .array(z.strictObject({ database: z.string(), user: z.string(), endpoint: z.string() }))
      .optional()
      .describe('What the caller may choose from, at most 100.'),
    choices_omitted: z.int().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
