import { z } from 'zod';
import { caBundleId, connectHost, filePath, hostAndPort, port, rdsHost, sha256, webAddress } from './values.ts';

/* The values of the configuration that may be written in two ways. */

/** Where an issuer's keys are, other than by discovery. */
export const jwks = z.union(
  [
    z.strictObject({
      url: webAddress(
        "Write the key set's https URL; http is for loopback hosts only.",
        'or loopback http',
        'any query',
      ).meta(about('Where the key set is fetched.', 'https://idp.example/keys')),
    }),
    z.strictObject({
      file: filePath.meta(about('A key set on disk; nothing is fetched.', './keys/corp.jwks.json')),
    }),
  ],
  { error: 'Write either url or file, and nothing else.' },
);

/** One endpoint of a database. */
export const endpoint = z.union(
  [
    hostAndPort,
    z.strictObject({
      host: rdsHost.meta(
        about(
          'The RDS endpoint tokens are signed for. Never a CNAME, a tunnel or an address: RDS checks its own name.',
          'orders.cluster-ro-abc123.us-west-2.rds.amazonaws.com',
        ),
      ),
      port: port.optional().meta(about("Its port. Default: the engine's, 5432 or 3306.", 5432)),
      connectHost: connectHost
        .optional()
        .meta(
          about('Where clients connect, when that is a CNAME or a tunnel. Default: `host`.', 'orders.corp.example'),
        ),
      connectPort: port.optional().meta(about('The port clients connect to. Default: `port`.', 6432)),
    }),
  ],
  { error: 'Write host:port, or a map with host and, where they differ, port, connectHost and connectPort.' },
);

/** The certificates clients of a database trust. */
export const caBundle = z.union(
  [
    caBundleId,
    z.strictObject({
      file: filePath.meta(about('A PEM file of CA certificates.', './ca/us-west-2-bundle.pem')),
      sha256: sha256.meta(
        about(
          "The file's SHA-256 in hexadecimal; another content is refused.",
          'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        ),
      ),
    }),
  ],
  { error: 'Write an id such as us-west-2, or a map with file and sha256.' },
);

/** What `docs/configuration.md` and editors say of a key. */
export function about<Example>(description: string, ...examples: Example[]) {
  return { description, examples };
}
