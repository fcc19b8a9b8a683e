import { z } from 'zod';
import { about } from './alternatives.ts';
import * as values from './values.ts';

/* The `audit` section of the configuration. */

const { filePath, line } = values;

export const auditStore = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('sqlite').meta(about('A SQLite file that this service alone writes.', 'sqlite')),
      path: filePath.default('./data/audit.db').meta(about('The database file.', './data/audit.db')),
    }),
    z.strictObject({
      type: z.literal('postgres').meta(about('A PostgreSQL database that replicas share.', 'postgres')),
      host: values.databaseHost.meta(
        about('A host name, an address, or the folder of a Unix socket.', 'audit-db.corp.example'),
      ),
      port: values.port.default(5432).meta(about('Its port.', 5432)),
      database: line('Write the name of the database.')
        .default('rds_token_vendor')
        .meta(
          about(
            'The database inside the server. The service makes its own tables in the schema `rtv_audit`.',
            'rds_token_vendor',
          ),
        ),
      user: line('Write the user that the service logs in as.')
        .default('rds_token_vendor')
        .meta(about('The user that the service logs in as.', 'rds_token_vendor')),
      passwordFile: filePath
        .optional()
        .meta(about('A file with the password. Default: `PGPASSWORD`, or no password.', './secrets/audit-db-password')),
      tls: z
        .boolean()
        .default(true)
        .meta(about('Verified TLS. `false` is for a loopback host or a Unix socket only.', true)),
      caFile: filePath
        .optional()
        .meta(about("CA certificates (PEM) trusted for the server, instead of the system's.", './ca/audit-db.pem')),
    }),
    z.strictObject({
      type: z.literal('file').meta(about('Files of one JSON record a line.', 'file')),
      directory: filePath
        .default('./data/audit')
        .meta(about('The folder; each instance has its own in it.', './data/audit')),
      rotateSize: values
        .size('1MiB', '16GiB')
        .prefault('256MiB')
        .meta(about('A new file begins when one has reached this size, from 1MiB to 16GiB.', '256MiB')),
    }),
  ],
  { error: 'Write type: sqlite, postgres or file.' },
);

export const audit = z.strictObject({
  store: auditStore
    .prefault({ type: 'sqlite' })
    .meta(
      about('Where audit records become durable before a token leaves.', { type: 'sqlite', path: './data/audit.db' }),
    ),
  instance: values.instanceName
    .refine((name) => !name.endsWith('-cli'), {
      error: "Write a name that does not end in -cli: those are the command line's own chains.",
    })
    .optional()
    .meta(
      about(
        'The name of the chain that this process writes. Unique among processes; it does not end in `-cli`. Default: the host name.',
        'pod-1',
      ),
    ),
  checkpointKeyFile: filePath
    .default('./data/checkpoint-key.pem')
    .meta(
      about(
        'The Ed25519 private key (PKCS#8 PEM) that signs checkpoints. Made when it is missing.',
        './data/checkpoint-key.pem',
      ),
    ),
  copyToStdout: z
    .boolean()
    .default(false)
    .meta(about('Whether each durable record is also printed as one JSON line, for log shippers.', true)),
  keepClaims: z
    .array(values.claimPath)
    .default([])
    .meta(
      about('Claims, by dotted path, that records of verified callers keep. Nothing else of a JWT is kept.', ['email']),
    ),
  retention: values
    .days('1d', '3660d')
    .optional()
    .meta(about('How long records are kept, from 1d to 3660d. Default: for ever.', '400d')),
  diskReserve: values
    .size('0MiB', '1024GiB')
    .prefault('64MiB')
    .meta(
      about(
        'Space that must stay free on the disk of the store, from 0MiB to 1024GiB: below it nothing is issued.',
        '1GiB',
      ),
    ),
});
