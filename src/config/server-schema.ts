import { z } from 'zod';
import { about } from './alternatives.ts';
import * as values from './values.ts';

/* The `server` section of the configuration. */

const { duration, filePath, listenHost, listenPort } = values;

const tls = z.strictObject({
  certFile: filePath.meta(about('The certificate with its chain, PEM. Read again when it changes.', './tls/tls.crt')),
  keyFile: filePath.meta(about('Its private key, PEM. Read again when it changes.', './tls/tls.key')),
  clientCaFile: filePath
    .optional()
    .meta(
      about(
        'CA certificates (PEM) that client certificates must come from. Without it none is asked for.',
        './tls/clients.pem',
      ),
    ),
  clientCertificates: z
    .enum(['optional', 'required'])
    .default('optional')
    .meta(about('With `clientCaFile`: whether every client must have a certificate.', 'required')),
});

export const server = z.strictObject({
  host: listenHost
    .default('127.0.0.1')
    .meta(about('Address the public port listens on. The default is reachable from this machine only.', '0.0.0.0')),
  port: listenPort.default(8080).meta(about('Public port. 0 takes any free one.', 8080)),
  adminHost: listenHost
    .optional()
    .meta(about('Address the admin port (`/livez`, `/readyz`, `/metrics`) listens on. Default: `host`.', '0.0.0.0')),
  adminPort: listenPort.default(9090).meta(about('Admin port. 0 takes any free one.', 9090)),
  tls: tls.optional().meta(
    about('TLS 1.2 and 1.3 on the public port. Without it the port speaks plain HTTP.', {
      certFile: './tls/tls.crt',
      keyFile: './tls/tls.key',
    }),
  ),
  trustedProxies: z
    .array(values.addressRange)
    .default([])
    .meta(about('Proxies whose `X-Forwarded-For` is believed: addresses or CIDR ranges.', ['10.0.0.0/8'])),
  drainDelay: duration('0s', '10m')
    .prefault('0s')
    .meta(about('Time from readiness turning off to the ports closing, so that load balancers see it first.', '5s')),
});
