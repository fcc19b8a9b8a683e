import { createHash } from 'node:crypto';
import { AUDIENCE } from './issuer.ts';
import { RDS_ENDPOINT } from './settings.ts';

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
    accountId: "123456789012"
    resourceId: cluster-SANDBOX
    endpoints:
      # Tokens are signed for the RDS endpoint; clients connect to the stand-in.
      writer: { host: ${RDS_ENDPOINT.host}, port: ${RDS_ENDPOINT.port}, connectHost: localhost, connectPort: ${databasePort} }
    databaseName: orders
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
# The keys are AWS's published example: STS does not know them.
aws: { callerIdentity: false }
audit: { store: { type: sqlite, path: audit.db }, checkpointKeyFile: checkpoint-key.pem }
`;
}
