import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SignJWT } from 'jose';
import { type App, buildApp } from '../../src/app.ts';
import type { AppOverrides } from '../../src/app/app-options.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createLogger } from '../../src/logger.ts';
import type { ReadRecord } from './published-records.ts';
import { readSqliteRecords } from './sqlite-records.ts';

export const ISSUER = 'https://idp.example';
export const API = 'system:serviceaccount:payments:api';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

/** The service's configuration in tests: one issuer from a key file, two databases, three kinds of callers. */
export const CONFIG = `server: { port: 0, adminPort: 0 }
issuers:
  - name: cluster
    issuer: ${ISSUER}
    audiences: [vendor]
    jwks: { file: jwks.json }
databases:
  orders:
    engine: postgres
    region: us-west-2
    accountId: "123456789012"
    resourceId: cluster-ABCDEFGH
    endpoints:
      writer: Orders.cluster-abc.us-west-2.rds.amazonaws.com:5432
      reader: { host: orders.cluster-ro-abc.us-west-2.rds.amazonaws.com, connectHost: reader.corp.example, connectPort: 6432 }
  billing:
    engine: mysql
    region: eu-central-1
    accountId: "123456789012"
    resourceId: prx-0123456789abcdef0
    endpoints: { writer: "billing.proxy-def.eu-central-1.rds.amazonaws.com:3306" }
grants:
  - name: api
    issuer: cluster
    subject: ${API}
    allow:
      - { database: orders, users: [app_rw, app_ro], endpoints: [writer, reader] }
      - { database: billing, users: [app_ro] }
  - name: jobs
    issuer: cluster
    subjectGlob: "system:serviceaccount:payments:job-*"
    allow: [{ database: orders, users: [app_ro] }]
limits: { perCaller: 1000/s, perDatabase: 1000/s }
`;

export type RunningService = {
  readonly app: App;
  /** Of config.yaml and what it names. */
  readonly folder: string;
  readonly url: string;
  readonly adminUrl: string;
  /** A JWT of the issuer; the claims given replace those of the payments API. */
  mint(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** A request with the payments API's JWT unless `headers` has another. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Every record in the store. */
  records(): ReadRecord[];
  /** Everything that was logged. */
  log(): string;
};

export type ServiceChanges = { readonly config?: (text: string) => string; readonly overrides?: AppOverrides };

/** Starts the real service on free ports for one test, with a SQLite store and static example credentials. */
export async function startService(test: TestContext, changes: ServiceChanges = {}): Promise<RunningService> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-service-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const privateKey = writeServiceFiles(folder, changes.config);
  const lines: string[] = [];
  const app = await buildApp(loadConfig(join(folder, 'config.yaml')), {
    version: '0.0.0-test',
    logger: createLogger({ write: (line) => void lines.push(line) }),
    stsRegion: undefined,
    overrides: {
      loadCredentials: () =>
        Promise.resolve({
          accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
          secretAccessKey: SECRET_KEY,
          sessionToken: null,
          expiresAt: null,
        }),
      ...changes.overrides,
    },
  });
  test.after(() => app.drain());
  const { publicUrl, adminUrl } = await app.listen();
  const mint = (claims = {}) => mintJwt(privateKey, claims);
  return {
    app,
    folder,
    url: publicUrl,
    adminUrl,
    mint,
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${await mint()}`);
      return fetch(new URL(path, publicUrl), { ...init, headers });
    },
    records: () => readSqliteRecords(join(folder, 'data', 'audit.db')),
    log: () => lines.join(''),
  };
}

/** Writes config.yaml and jwks.json; gives the key that the set's JWTs are signed with. */
export function writeServiceFiles(folder: string, change = (text: string) => text): KeyObject {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(folder, 'config.yaml'), change(CONFIG));
  return privateKey;
}

export function mintJwt(key: KeyObject, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: ISSUER, aud: 'vendor', sub: API, iat: now, exp: now + 3600, jti: randomUUID(), ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'JWT' }).sign(key);
}

/** The init of `POST /v1/tokens` with a JSON body. */
export function post(fields: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method: 'POST', body: JSON.stringify(fields), headers: { 'content-type': 'application/json', ...headers } };
}
