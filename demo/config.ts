import { createHash } from 'node:crypto';
import { AUDIENCE } from './issuer.ts';
import { ACCOUNT_ID, RDS_ENDPOINT, RESOURCE_ID, ROLE_ARN } from './settings.ts';

/** The service's configuration in the sandbox, in which files are beside config.yaml. */
export function sandboxConfig(options: {
  readonly servicePort: number;
  readonly adminPort: number;
  readonly databasePort: number;
  readonly issuerUrl: string;
  /** The text of ca.pem. */
  readonly ca: string;
}): string {
  const { servicePort, adminPort, databasePort, issuerUrl, ca } = options;
  const sha256 = createHash('sha256').update(ca).digest('hex');
  return `# The sandbox's configuration, written anew at each start.
server: { host: 127.0.0.1, port: ${servicePort}, adminPort: ${adminPort} }
issuers:
  - name: local
    issuer: ${issuerUrl}
    audiences: [${AUDIENCE}]
    algorithms: [RS256]
databases:
  orders:
    engine: postgres
    region: ${RDS_ENDPOINT.region}
    accountId: "${ACCOUNT_ID}"
    resourceId: ${RESOURCE_ID}
    endpoints:
      # Tokens are signed for the RDS endpoint; clients connect to the stand-in.
      writer: { host: ${RDS_ENDPOINT.host}, port: ${RDS_ENDPOINT.port}, connectHost: localhost, connectPort: ${databasePort} }
    databaseName: orders
    # Each user's tokens are signed with a session that may be this one user only.
    role: { arn: "${ROLE_ARN}", scope: perUser }
    caBundle: { file: ca.pem, sha256: ${sha256} }
grants:
  - name: payments-api
    issuer: local
    subject: system:serviceaccount:payments:api
    claims: { "kubernetes.io.namespace": payments }
    allow: [{ database: orders, users: [app_rw, app_ro] }]
  - name: dba
    issuer: local
    claims: { groups: dba }
    allow: [{ database: orders, users: [dba_admin] }]
auditors:
  - { name: security, issuer: local, claims: { groups: security-audit } }
audit: { store: { type: sqlite, path: audit.db }, checkpointKeyFile: checkpoint-key.pem }
`;
}
