import { createHash, randomBytes } from 'node:crypto';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Issued, type LocalCa, makeCa } from '../../../demo/certificate-authority.ts';
import type { SandboxSession } from '../../../demo/sandbox-sts/session.ts';
import { type IamServer, startIamMariaDb, startIamPostgres } from '../../support/iam/iam-servers.ts';
import { makePamService } from '../../support/iam/pam-service.ts';
import { startTokenCheck, type TokenCheck } from '../../support/iam/token-check.ts';
import { mintJwt, SECRET_KEY, startService, writeServiceFiles } from '../../support/running-service.ts';
import { runProgram } from '../../support/service-process.ts';
import { startChangingProxy, startStrippingProxy, type StrippingProxy } from './hostile-network.ts';
import type { Database, Recipe } from './recipes.ts';
import type { RecipeEnv } from './run-recipe.ts';

/** The databases' own names, which are signed and connected to. */
export const HOST = {
  PostgreSQL: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
  MariaDB: 'billing.abc.us-west-2.rds.amazonaws.com',
};
const NAME = { PostgreSQL: 'orders', MariaDB: 'billing' };
const ACCOUNT = '123456789012';

/** Temporary credentials whose session token makes RDS auth tokens of more than 2 KB. */
const SESSION: SandboxSession = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: randomBytes(30).toString('base64'),
  sessionToken: randomBytes(1400).toString('base64'),
  expiresAt: Date.now() + 86_400_000,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/connect`,
  assumedRoleArn: `arn:aws:sts::${ACCOUNT}:assumed-role/connect/session`,
  sessionName: 'session',
  sessionPolicy: null,
  permissionPolicy: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }],
  },
  sourceIdentity: null,
  tags: new Map(),
  transitiveTags: new Map(),
};

/** How far the compressed service's clock is behind: its tokens are to be refreshed after 10 s, and not after 600. */
const BEHIND_MS = 590_000;
/** 900 s and 600 s by a clock that runs sixty times as fast. */
export const COMPRESSED = { lifeMs: 15_000, refreshMs: 10_000, tenMinutesMs: 25_000 };

export type ServiceName = 'small' | 'large' | 'compressed';
export type ChangeName = 'unchanged' | 'wrong-user' | 'altered-token' | 'plaintext';

export type Stage = {
  readonly check: TokenCheck;
  readonly servers: Readonly<Record<Database, IamServer>>;
  readonly stripping: Readonly<Record<Database, StrippingProxy>>;
  readonly ca: LocalCa;
  readonly certificate: Issued;
  /** An /etc/hosts that has the databases on this machine. */
  readonly hostsFile: string;
  env(recipe: Recipe, service: ServiceName, change?: ChangeName): RecipeEnv;
};

/** Real database servers with RDS's token check, the service with tokens of both sizes, and a network that can lie. */
export async function setUpStage(t: TestContext): Promise<Stage> {
  const check = await startTokenCheck();
  t.after(() => check.close());
  const ca = await makeCa('RDS stand-in root');
  const certificate = await ca.issue({ dnsNames: Object.values(HOST) });
  const pams = {
    PostgreSQL: makePamService('orders', check.socketPath),
    MariaDB: makePamService('billing', check.socketPath),
  };
  for (const pam of Object.values(pams)) t.after(() => pam.remove());
  const users = ['app_rw', 'app_ro'];
  const servers = {
    PostgreSQL: await startIamPostgres(pams.PostgreSQL, certificate, users),
    MariaDB: await startIamMariaDb(pams.MariaDB, certificate, users),
  };
  const stripping = {
    PostgreSQL: await startStrippingProxy('PostgreSQL', servers.PostgreSQL.port),
    MariaDB: await startStrippingProxy('MariaDB', servers.MariaDB.port),
  };
  for (const database of ['PostgreSQL', 'MariaDB'] as const) {
    t.after(() => servers[database].remove());
    t.after(() => stripping[database].close());
    check.databases.set(NAME[database], {
      host: HOST[database],
      port: database === 'PostgreSQL' ? 5432 : 3306,
      region: 'us-west-2',
      accountId: ACCOUNT,
      resourceId: 'cluster-ABCDEFGH',
      secretAccessKeys: new Map([['AKIAIOSFODNN7EXAMPLE', SECRET_KEY]]),
      session: (id) => (id === SESSION.accessKeyId ? SESSION : undefined),
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'rtv-clients-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'ca.pem'), ca.certPem);
  const hostsFile = join(folder, 'hosts');
  writeFileSync(hostsFile, `127.0.0.1 localhost ${Object.values(HOST).join(' ')}\n`);
  const config = configText(servers, join(folder, 'ca.pem'), ca.certPem);
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = SESSION;
  const loadCredentials = () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken, expiresAt });
  const running = {
    small: await startService(t, { config }),
    large: await startService(t, { config, overrides: { loadCredentials } }),
    compressed: await startBehind(t, config),
  };
  for (const [name, service] of Object.entries(running)) {
    const at = Math.floor((Date.now() - (name === 'compressed' ? BEHIND_MS : 0)) / 1000);
    // As a projected token's file: with a line end.
    writeFileSync(join(folder, name), `${await service.mint({ iat: at, exp: at + 3600 })}\n`);
  }
  const urls = Object.fromEntries(Object.entries(running).map(([name, { url }]) => [name, url.replace(/\/$/, '')]));
  const proxy = await startChangingProxy(urls, changes(servers, stripping));
  t.after(() => proxy.close());
  return {
    check,
    servers,
    stripping,
    ca,
    certificate,
    hostsFile,
    env: ({ database }, service, change = 'unchanged') => ({
      RTV_URL: `${proxy.url}/${service}/${change}`,
      RTV_JWT_FILE: join(folder, service),
      RTV_DATABASE: NAME[database],
      RTV_USER: 'app_rw',
    }),
  };
}

/** The program itself, with a clock that is behind. */
async function startBehind(t: TestContext, config: (text: string) => string) {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (library === undefined) throw new Error('libfaketime is not installed: apt-get install faketime');
  const folder = mkdtempSync(join(tmpdir(), 'rtv-behind-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const key = writeServiceFiles(folder, config);
  const { listening } = runProgram(t, ['--config', join(folder, 'config.yaml')], {
    LD_PRELOAD: library,
    FAKETIME: `-${BEHIND_MS / 1000}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    AWS_ACCESS_KEY_ID: SESSION.accessKeyId,
    AWS_SECRET_ACCESS_KEY: SESSION.secretAccessKey,
    AWS_SESSION_TOKEN: SESSION.sessionToken,
  });
  return { url: await listening, mint: (claims: Readonly<Record<string, unknown>>) => mintJwt(key, claims) };
}

function configText(servers: Readonly<Record<Database, IamServer>>, caFile: string, caPem: string) {
  const sha256 = createHash('sha256').update(caPem).digest('hex');
  const databases = (['PostgreSQL', 'MariaDB'] as const).map(
    (database) => `  ${NAME[database]}:
    engine: ${database === 'PostgreSQL' ? 'postgres' : 'mariadb'}
    region: us-west-2
    accountId: "${ACCOUNT}"
    resourceId: cluster-ABCDEFGH
    databaseName: ${NAME[database]}
    caBundle: { file: ${caFile}, sha256: ${sha256} }
    endpoints:
      writer:
        host: ${HOST[database]}
        port: ${database === 'PostgreSQL' ? 5432 : 3306}
        connectPort: ${servers[database].port}
`,
  );
  return (text: string) =>
    text
      .replace(/^databases:\n(?: .*\n)+/m, `databases:\n${databases.join('')}`)
      .replace(/^grants:\n(?: .*\n)+/m, GRANTS);
}

const GRANTS = `grants:
  - name: api
    issuer: cluster
    subject: system:serviceaccount:payments:api
    allow:
      - { database: orders, users: [app_rw, app_ro] }
      - { database: billing, users: [app_rw, app_ro] }
`;

/** What the network changes in JSON, properties, option files and exports alike. */
function changes(
  servers: Readonly<Record<Database, IamServer>>,
  stripping: Readonly<Record<Database, StrippingProxy>>,
): Parameters<typeof startChangingProxy>[1] {
  const otherDigit = (digit: string) => (digit === '0' ? '1' : '0');
  return {
    // The token of one user, in the hands of a client that connects as another.
    'wrong-user': {
      ask: (body) => body.replace('user=app_rw', 'user=app_ro'),
      answer: (body) => body.replace(/("user":"|^user="?|PGUSER=')app_ro/m, '$1app_rw'),
    },
    'altered-token': {
      answer: (body) =>
        body.replace(
          /(X-Amz-Signature(?:=|\\=|%3D))([0-9a-f])/,
          (_, name: string, digit: string) => name + otherDigit(digit),
        ),
    },
    plaintext: {
      answer: (body) =>
        (['PostgreSQL', 'MariaDB'] as const).reduce(
          (text, database) =>
            text.replace(new RegExp(`\\b${servers[database].port}\\b`), String(stripping[database].port)),
          body,
        ),
    },
  };
}
