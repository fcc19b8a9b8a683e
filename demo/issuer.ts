import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type CryptoKey, type JWK, SignJWT } from 'jose';
import { listen, portOf } from './listen.ts';

/** Who the sandbox's JWTs are for. */
export const AUDIENCE = 'rds-token-vendor';

/** JWTs live an hour; a key stays in the set for as long as one that it signed. */
const JWT_LIFE_S = 3600;
const ROTATION_MS = 600_000;
const KEY_LIFE_MS = JWT_LIFE_S * 1000 + 2 * ROTATION_MS;

/** The callers of the sandbox, and what their JWTs say. */
export const CALLERS = {
  app: {
    sub: 'system:serviceaccount:payments:api',
    'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api' } },
  },
  dba: { sub: 'dana@corp.example', groups: ['dba'] },
  auditor: { sub: 'aud@corp.example', groups: ['security-audit'] },
  stranger: { sub: 'system:serviceaccount:games:solitaire' },
} as const;

export type CallerName = keyof typeof CALLERS;

/** A running OpenID provider of the sandbox. */
export type SandboxIssuer = {
  readonly url: string;
  mint(caller: CallerName): Promise<string>;
  /** Signs with a new key from now on; earlier ones stay in the set while their JWTs live. */
  rotate(): Promise<void>;
  close(): Promise<void>;
};

type SigningKey = { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK; readonly madeAt: number };

/**
 * Opens the provider on 127.0.0.1: discovery, a key set that rotates every 10 minutes, and for people at the terminal
 * `GET /demo/token?caller=app` (a fresh JWT) and `POST /demo/rotate`. It asks nobody who they are.
 */
export async function openIssuer(port: number): Promise<SandboxIssuer> {
  let keys: readonly SigningKey[] = [];
  let count = 0;

  async function rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    count++;
    const kid = `demo-${count}`;
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
    const living = keys.filter(({ madeAt }) => Date.now() - madeAt < KEY_LIFE_MS);
    keys = [{ kid, privateKey, jwk, madeAt: Date.now() }, ...living];
  }

  function mint(caller: CallerName): Promise<string> {
    const [key] = keys;
    if (!key) throw new Error('the issuer has no key yet');
    return new SignJWT({ ...CALLERS[caller] })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT' })
      .setIssuer(url)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${JWT_LIFE_S}s`)
      .setJti(crypto.randomUUID())
      .sign(key.privateKey);
  }

  async function answer(method: string, target: URL): Promise<{ status: number; type: string; body: string }> {
    const json = (body: unknown) => ({ status: 200, type: 'application/json', body: JSON.stringify(body) });
    const caller = target.searchParams.get('caller') ?? '';
    if (target.pathname === '/.well-known/openid-configuration') return json({ issuer: url, jwks_uri: `${url}/keys` });
    if (target.pathname === '/keys') return json({ keys: keys.map(({ jwk }) => jwk) });
    if (target.pathname === '/demo/token' && isCaller(caller)) {
      return { status: 200, type: 'text/plain', body: await mint(caller) };
    }
    if (target.pathname === '/demo/rotate' && method === 'POST') {
      await rotate();
      return json({ kid: keys[0]?.kid });
    }
    return { status: 404, type: 'text/plain', body: `Try /demo/token?caller=${Object.keys(CALLERS).join('|')}\n` };
  }

  await rotate();
  const server: Server = createServer((request, response) => {
    void answer(request.method ?? '', new URL(request.url ?? '/', url)).then(({ status, type, body }) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
  });
  await listen(server, port);
  const url = `http://localhost:${portOf(server)}`;
  const timer = setInterval(() => void rotate(), ROTATION_MS);
  return {
    url,
    mint,
    rotate,
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isCaller(name: string): name is CallerName {
  return Object.hasOwn(CALLERS, name);
}
