import { z } from 'zod';
import { about } from './alternatives.ts';
import * as values from './values.ts';

/* The `limits` section of the configuration. */

const { duration, filePath, line, rate } = values;

const storeHost = values.text(
  'Write a host name, an IP address, or the absolute path of a Unix socket.',
  /^(?:[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}|\/[^\0\n]{0,90})$/,
);

const limitStore = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('memory').meta(about('Each process counts for itself.', 'memory')),
    }),
    z.strictObject({
      type: z.literal('redis').meta(about('A Redis or Valkey server counts for all replicas.', 'redis')),
      host: storeHost.meta(about('A host name, an address, or the path of a Unix socket.', 'valkey.corp.example')),
      port: values.port.default(6379).meta(about('Its port.', 6379)),
      username: line('Write the user of the ACL.').optional().meta(about('The user of its ACL.', 'rds-token-vendor')),
      passwordFile: filePath
        .optional()
        .meta(about('A file with the password. Read at each connection.', './secrets/valkey-password')),
      tls: z
        .boolean()
        .default(true)
        .meta(about('Verified TLS. `false` is for a loopback host or a Unix socket only.', true)),
      caFile: filePath
        .optional()
        .meta(about("CA certificates (PEM) trusted for the server, instead of the system's.", './ca/valkey.pem')),
      whenUnavailable: z
        .enum(['count-here', 'refuse'])
        .default('count-here')
        .meta(
          about(
            'When the server cannot be asked: `count-here` lets each process count for itself, `refuse` answers 503.',
            'count-here',
          ),
        ),
    }),
  ],
  { error: 'Write type: memory or redis.' },
);

export const limits = z.strictObject({
  perCaller: rate.prefault('20/s').meta(about('Requests of one caller, a second or a minute.', '20/s')),
  perDatabase: rate
    .prefault('200/s')
    .meta(about('Tokens for one database. RDS takes under 200 new IAM connections a second for an instance.', '200/s')),
  perAddress: rate
    .prefault('50/s')
    .meta(
      about(
        'Requests of one client address (of an IPv6 /64) without a valid JWT. Above it, no signature of that address is ' +
          'verified, but for JWTs that were good before.',
        '50/s',
      ),
    ),
  maxEventLoopDelay: duration('0s', '10s')
    .prefault('1s')
    .meta(about('Requests are answered 503 while the event loop is later than this. 0s: never.', '1s')),
  store: limitStore.prefault({ type: 'memory' }).meta(
    about('Where `perCaller`, `perDatabase` and the `maxTokensPerMinute` of grants are counted.', {
      type: 'redis',
      host: 'valkey.corp.example',
    }),
  ),
});
