import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { BenchRequest } from '../loaded-service.ts';

const ISSUER = 'https://idp.example';
const USERS = Array.from({ length: 200 }, (_, index) => `app_${index}`);
const CALLERS = 500;

const CONFIG = `server: { port: 0, adminPort: 0 }
issuers: [{ name: cluster, issuer: "${ISSUER}", audiences: [vendor], algorithms: [RS256], jwks: { file: jwks.json } }]
databases:
  orders:
    engine: postgres
    region: us-west-2
    accountId: "123456789012"
    resourceId: cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    endpoints: { writer: "orders.cluster-abc123.us-west-2.rds.amazonaws.com:5432" }
grants:
  - name: services
    issuer: cluster
    subjectGlob: "system:serviceaccount:payments:*"
    allow: [{ database: orders, users: [${USERS.join(', ')}] }]
limits: { perCaller: 1000000/s, perDatabase: 1000000/s }
audit: { diskReserve: 0MiB }
`;

/** Writes a configuration with 500 callers and 200 database users, and makes a request for each caller. */
export async function prepareService(): Promise<{
  readonly folder: string;
  readonly requests: readonly BenchRequest[];
}> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-bench-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(folder, 'config.yaml'), CONFIG);
  const now = Math.floor(Date.now() / 1000);
  const requests = await Promise.all(
    Array.from({ length: CALLERS }, async (_, index): Promise<BenchRequest> => {
      const claims = { iss: ISSUER, aud: 'vendor', sub: `system:serviceaccount:payments:api-${index}`, iat: now };
      const jwt = await new SignJWT({ ...claims, exp: now + 7_200, jti: randomUUID() })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .sign(privateKey);
      const body = JSON.stringify({ database: 'orders', user: USERS[index % USERS.length] });
      return { authorization: `Bearer ${jwt}`, body };
    }),
  );
  return { folder, requests };
}
