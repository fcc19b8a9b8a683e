import { z } from 'zod';
import { about, jwks } from './alternatives.ts';
import * as values from './values.ts';

/* One entry of `issuers`. */

const { duration, filePath, line, name, webAddress } = values;

const NO_AUDIENCE = 'Write at least one audience: without one, tokens meant for other services would be accepted.';
const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount';

const kubernetes = z.strictObject({
  tokenReview: z
    .boolean()
    .default(false)
    .meta(
      about(
        'Whether the API server is asked about every token (TokenReview), so that one of a deleted pod is refused.',
        true,
      ),
    ),
  apiServer: webAddress('Write the https URL of the API server; http is for loopback hosts only.', 'or loopback http')
    .optional()
    .meta(
      about(
        'The API server. Default: the one of the cluster that the service runs in (`KUBERNETES_SERVICE_HOST`).',
        'https://kubernetes.default.svc',
      ),
    ),
  tokenFile: filePath
    .default(`${IN_CLUSTER}/token`)
    .meta(about("The service's own token for the API server. Read at every use.", `${IN_CLUSTER}/token`)),
  caFile: filePath
    .default(`${IN_CLUSTER}/ca.crt`)
    .meta(about("CA certificates (PEM) of the API server's HTTPS.", `${IN_CLUSTER}/ca.crt`)),
});

export const issuer = z.strictObject({
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
  bearerTokenFile: filePath
    .optional()
    .meta(
      about(
        'A file with a token to send when the keys are fetched: Kubernetes API servers ask for one.',
        `${IN_CLUSTER}/token`,
      ),
    ),
  keepKeysFor: duration('10m', '168h')
    .prefault('24h')
    .meta(about('How long the last good keys serve while the issuer cannot be reached.', '24h')),
  kubernetes: kubernetes
    .optional()
    .meta(
      about(
        'Set for a cluster: its tokens must be those of service accounts, and grants may use `namespace` and `serviceAccount`.',
        { tokenReview: true },
      ),
    ),
});
