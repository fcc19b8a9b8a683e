import { z } from 'zod';
import { about, caBundle, endpoint } from './config/alternatives.ts';
import { audit, auditStore } from './config/audit-schema.ts';
import { aws, role, webIdentity } from './config/credentials-schema.ts';
import { allow, auditor, deny, grant, include, policyTest } from './config/grant-schema.ts';
import { issuer } from './config/issuer-schema.ts';
import { limits } from './config/limits-schema.ts';
import { server } from './config/server-schema.ts';
import * as values from './config/values.ts';

/*
 * Everything an operator may write, on one page: the single source of validation, of the TypeScript types, of
 * openapi/config.schema.json and of docs/configuration.md. Unknown keys are errors.
 *
 * An `error` is the mend: one sentence that says what to write instead. Where the value itself does not show what is
 * wrong, `params.says` completes the sentence that begins with the value's path.
 */

const { webAddress, duration, filePath, line } = values;

const database = z
  .strictObject({
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
    role: role.optional().meta(
      about('The role whose sessions sign. Default: the credentials of the service itself.', {
        arn: 'arn:aws:iam::123456789012:role/orders-connect',
      }),
    ),
    webIdentity: webIdentity.optional().meta(
      about("The role that the caller's own JWT assumes, instead of `role`.", {
        arn: 'arn:aws:iam::123456789012:role/orders-callers',
        issuers: ['cluster'],
      }),
    ),
  })
  .refine(({ role: assumed, webIdentity: own }) => assumed === undefined || own === undefined, {
    path: ['webIdentity'],
    error: 'Keep one of role and webIdentity.',
    params: { says: 'stands beside role' },
  });

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

/** The parts that are also checked one by one, so that a mistake in one hides no mistake in another. */
export const partSchemas = {
  issuer,
  database,
  grant,
  allow,
  deny,
  auditor,
  auditStore,
  caBundles,
  limits,
  policyTest,
  server,
  aws,
};

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
      .meta({ description: 'Which callers may be which database users. Nothing else is allowed; a `deny` wins.' }),
    include: include.optional(),
    auditors: z
      .array(auditor)
      .default([])
      .meta({ description: 'Which callers may read audit records over HTTP. Nobody else may.' }),
    audit: audit.prefault({}).meta({ description: 'The audit record of every decision.' }),
    caBundles: caBundles.prefault({}).meta({ description: 'Where the CA bundles that clients trust come from.' }),
    aws: aws.prefault({}).meta({ description: "The service's own AWS credentials." }),
    limits: limits
      .prefault({})
      .meta({ description: 'Rates above which requests are answered 429, `N/s` or `N/m`, and when load is shed.' }),
    policyTests: z
      .array(policyTest)
      .default([])
      .meta({ description: 'What the grants must decide. `rds-token-vendor check` runs them.' }),
  })
  .meta({ title: 'rds-token-vendor configuration' });

/** A checked configuration: durations in milliseconds, rates as `{ max, windowMs }`, defaults filled in. */
export type Config = z.output<typeof configSchema>;
export type IssuerConfig = Config['issuers'][number];
export type DatabaseConfig = Config['databases'][string];
export type GrantConfig = Config['grants'][number];
export type PolicyTestConfig = Config['policyTests'][number];
