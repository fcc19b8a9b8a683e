import { z } from 'zod';
import { about, caBundle, endpoint, jwks } from './config/alternatives.ts';
import { audit, auditStore } from './config/audit-schema.ts';
import { callerConditions, notBothSubjects, someCondition } from './config/caller-conditions.ts';
import * as values from './config/values.ts';

/*
 * Everything an operator may write, on one page: the single source of validation, of the TypeScript types, of
 * openapi/config.schema.json and of docs/configuration.md. Unknown keys are errors.
 *
 * An `error` is the mend: one sentence that says what to write instead. Where the value itself does not show what is
 * wrong, `params.says` completes the sentence that begins with the value's path.
 */

const { webAddress, duration, filePath, listenHost, listenPort, line, name, rate } = values;

const server = z.strictObject({
  host: listenHost
    .default('127.0.0.1')
    .meta(about('Address the public port listens on. The default is reachable from this machine only.', '0.0.0.0')),
  port: listenPort.default(8080).meta(about('Public port. 0 takes any free one.', 8080)),
  adminHost: listenHost
    .optional()
    .meta(about('Address the admin port (`/livez`, `/readyz`, `/metrics`) listens on. Default: `host`.', '0.0.0.0')),
  adminPort: listenPort.default(9090).meta(about('Admin port. 0 takes any free one.', 9090)),
  trustedProxies: z
    .array(values.addressRange)
    .default([])
    .meta(about('Proxies whose `X-Forwarded-For` is believed: addresses or CIDR ranges.', ['10.0.0.0/8'])),
  drainDelay: duration('0s', '10m')
    .prefault('0s')
    .meta(about('Time from readiness turning off to the ports closing, so that load balancers see it first.', '5s')),
});

const NO_AUDIENCE = 'Write at least one audience: without one, tokens meant for other services would be accepted.';

const issuer = z.strictObject({
  name: name.meta(about('What grants and audit records call this issuer. Unique.', 'cluster')),
  issuer: webAddress(
    "Write the https URL in the JWTs' iss claim; http is for loopback hosts only.",
    'or loopback http',
  ).meta(
    about(
      "The JWTs' `iss`, compared character by character. Unique. Without `jwks`, OpenID discovery starts from it.",
      'https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE',
    ),
  ),
  audiences: values
    .listOf(line('Write an audience, as in the aud claim.'), NO_AUDIENCE)
    .meta(about('A JWT must hold one of these in its `aud`. At least one, always.', ['rds-token-vendor'])),
  algorithms: values
    .listOf(values.algorithm, 'List at least one algorithm, or leave the key out for RS256 and ES256.')
    .default(['RS256', 'ES256'])
    .meta(about('Signature algorithms accepted from this issuer. `none` and HMAC do not exist here.', ['RS256'])),
  clockTolerance: duration('0s', '300s')
    .prefault('30s')
    .meta(about("How far the issuer's clock may be from ours when `exp`, `nbf` and `iat` are checked.", '30s')),
  jwks: jwks
    .optional()
    .meta(
      about('Where the keys are, instead of OpenID discovery: a URL or a file.', { file: './keys/corp.jwks.json' }),
    ),
  caFile: filePath
    .optional()
    .meta(about("CA certificates (PEM) trusted for this issuer's HTTPS, instead of the system's.", './ca/corp.pem')),
});

const database = z.strictObject({
  engine: z
    .enum(['postgres', 'mysql', 'mariadb'])
    .meta(about('The engine; Aurora counts as the one it is compatible with.', 'postgres')),
  region: values.region.meta(about('The AWS region the database is in.', 'us-west-2')),
  accountId: values.accountId.meta(
    about('The AWS account that owns the database: 12 digits, in quotes.', '123456789012'),
  ),
  resourceId: values.resourceId.meta(
    about(
      'The id that IAM policies name: `db-…` of an instance, `cluster-…` of a cluster, `prx-…` of an RDS Proxy.',
      'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    ),
  ),
  endpoints: values.mapOf(endpoint, 'Write at least one endpoint, such as writer: host:port.').meta(
    about('Endpoints by a name of your choice: `host:port`, or a map. `writer` is given when none is asked for.', {
      writer: 'orders.cluster-abc123.us-west-2.rds.amazonaws.com:5432',
    }),
  ),
  databaseName: line('Write the name of the database inside the server.')
    .optional()
    .meta(about("The database inside the server that clients open. Default: the entry's own name.", 'orders')),
  caBundle: caBundle
    .optional()
    .meta(
      about(
        'The CA certificates clients trust: `global`, `amazon-roots`, a region, or your own file. Default: `amazon-roots` ' +
          'for an RDS Proxy, else the region.',
        'us-west-2',
      ),
    ),
});

const allow = z.strictObject({
  database: name.meta(about('A name of `databases`.', 'orders')),
  users: values
    .listOf(values.userName, 'List at least one database user.')
    .meta(about('Database users, each by its exact name; there are no patterns here.', ['app_rw', 'app_ro'])),
  endpoints: values
    .listOf(name, 'List at least one endpoint, or leave the key out for the writer.')
    .optional()
    .meta(
      about("Endpoints of that database. Default: `writer`, or the database's only endpoint.", ['writer', 'reader']),
    ),
});

const grant = z
  .strictObject({
    name: name.meta(about('What audit records call this grant. Unique.', 'payments-api')),
    issuer: name.meta(about('A name of `issuers`.', 'cluster')),
    ...callerConditions,
    allow: values
      .listOf(allow, 'List at least one database with its users.')
      .meta(about('What the callers that match may have.', [{ database: 'orders', users: ['app_ro'] }])),
  })
  .refine(...notBothSubjects)
  .refine(...someCondition('a grant'));

const auditor = z
  .strictObject({
    name: name.meta(about('What audit records call this grant. Unique.', 'security')),
    issuer: name.meta(about('A name of `issuers`.', 'corp')),
    ...callerConditions,
  })
  .refine(...notBothSubjects)
  .refine(...someCondition('an auditor'));

const caBundles = z.strictObject({
  refresh: duration('1m', '168h')
    .optional()
    .meta(
      about("How often AWS's current bundles are fetched. Default: never; the built-in ones and files serve.", '24h'),
    ),
  directory: filePath
    .default('./data/ca-bundles')
    .meta(about('Where fetched bundles are kept, so that a restart has them.', './data/ca-bundles')),
  source: webAddress("Write the mirror's https URL, without a query.")
    .optional()
    .meta(
      about(
        'A mirror with the layout of AWS (`/REGION/REGION-bundle.pem`), fetched from instead of AWS.',
        'https://mirror.corp.example/rds-truststore',
      ),
    ),
  caFile: filePath
    .optional()
    .meta(about("CA certificates (PEM) trusted for the mirror's HTTPS, instead of the system's.", './ca/corp.pem')),
});

const limits = z.strictObject({
  perCaller: rate.prefault('20/s').meta(about('Requests of one caller, a second or a minute.', '20/s')),
  perDatabase: rate
    .prefault('200/s')
    .meta(about('Tokens for one database. RDS takes under 200 new IAM connections a second for an instance.', '200/s')),
});

/** The parts that are also checked one by one, so that a mistake in one hides no mistake in another. */
export const partSchemas = { issuer, database, grant, allow, auditor, auditStore, caBundles };

export const configSchema = z
  .strictObject({
    server: server.prefault({}).meta(about('Where the service listens.', { host: '0.0.0.0', port: 8080 })),
    issuers: values
      .listOf(issuer, 'List at least one issuer with its name, issuer and audiences.')
      .meta({ description: 'Whose JWTs are accepted.' }),
    databases: values
      .mapOf(database, 'Write at least one database by its name.')
      .meta({ description: 'The catalog: databases by the name callers ask for.' }),
    grants: z
      .array(grant)
      .default([])
      .meta({ description: 'Which callers may be which database users. Nothing else is allowed.' }),
    auditors: z
      .array(auditor)
      .default([])
      .meta({ description: 'Which callers may read audit records over HTTP. Nobody else may.' }),
    audit: audit.prefault({}).meta({ description: 'The audit record of every decision.' }),
    caBundles: caBundles.prefault({}).meta({ description: 'Where the CA bundles that clients trust come from.' }),
    limits: limits.prefault({}).meta({ description: 'Rates above which requests are answered 429: `N/s` or `N/m`.' }),
  })
  .meta({ title: 'rds-token-vendor configuration' });

/** A checked configuration: durations in milliseconds, rates as `{ max, windowMs }`, defaults filled in. */
export type Config = z.output<typeof configSchema>;
export type IssuerConfig = Config['issuers'][number];
export type DatabaseConfig = Config['databases'][string];
export type GrantConfig = Config['grants'][number];
