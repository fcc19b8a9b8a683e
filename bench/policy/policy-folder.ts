import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { BenchRequest } from '../loaded-service.ts';

const ISSUER = 'https://idp.example';
export const USER = 'app_rw';

/** How the grants of a configuration say whom they are for. */
export type GrantKind = 'subject' | 'workload' | 'glob';

/** The subject that grant number `index` is for. */
export function subjectOf(index: number): string {
  return `system:serviceaccount:team-${index}:api`;
}

function callerOf(kind: GrantKind, index: number): string {
  if (kind === 'subject') return `subject: "${subjectOf(index)}"`;
  if (kind === 'workload') return `namespace: team-${index}, serviceAccount: api`;
  return `subjectGlob: "system:serviceaccount:team-${index}:*"`;
}

function grantOf(kind: GrantKind, index: number): string {
  return `  - name: grant-${index}
    issuer: cluster
    ${callerOf(kind, index).replace(', ', '\n    ')}
    allow:
      - database: orders
        users: [${USER}]
        endpoints: [writer]
`;
}

/** The file of one issuer, one database and so many grants, each for a caller of its own. */
export function configOf(kind: GrantKind, grants: number): string {
  return `server: { port: 0, adminPort: 0 }
issuers:
  - name: cluster
    issuer: ${ISSUER}
    audiences: [vendor]
    algorithms: [RS256]
    jwks: { file: jwks.json }
    kubernetes: {}
databases:
  orders:
    engine: postgres
    region: us-west-2
    accountId: "123456789012"
    resourceId: cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    endpoints: { writer: "orders.cluster-abc123.us-west-2.rds.amazonaws.com:5432" }
limits: { perCaller: 1000000/s, perDatabase: 1000000/s }
audit: { diskReserve: 0MiB }
grants:
${Array.from({ length: grants }, (_, index) => grantOf(kind, index)).join('')}`;
}

export function newFolder(): { readonly folder: string; readonly privateKey: KeyObject } {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-bench-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  return { folder, privateKey };
}

/** One request of each of these callers, by their numbers. */
export function requestsOf(privateKey: KeyObject, callers: readonly number[]): Promise<BenchRequest[]> {
  const now = Math.floor(Date.now() / 1000);
  return Promise.all(
    callers.map(async (index) => {
      const kubernetes = { namespace: `team-${index}`, serviceaccount: { name: 'api', uid: `uid-${index}` } };
      const claims = { iss: ISSUER, aud: 'vendor', sub: subjectOf(index), 'kubernetes.io': kubernetes };
      const jwt = await new SignJWT({ ...claims, iat: now, exp: now + 7_200 })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .sign(privateKey);
      return { authorization: `Bearer ${jwt}`, body: JSON.stringify({ database: 'orders', user: USER }) };
    }),
  );
}
