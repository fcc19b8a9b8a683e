import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { listen, portOf } from '../../demo/listen.ts';

/** An identity provider on a loopback port, of one issuer. */
export type BenchIdp = {
  readonly issuer: string;
  /** How often its key set was asked for. */
  keyRequests(): number;
  /** A JWT of one of 500 callers, signed with the newest key. */
  mint(): string;
  /** A JWT issued now that names a key which never was. */
  mintUnknown(): string;
  /** Publishes another key and signs with it from now on; the ones before it stay published. */
  rotate(): void;
  close(): void;
};

type Generation = { readonly jwk: object; readonly tokens: readonly string[] };

const CALLERS = 500;

/** Opens it. Keys and JWTs are made before: signing them would take as long as the service needs for a request. */
export async function openBenchIdp(rotations: number): Promise<BenchIdp> {
  let generations: readonly Generation[] = [];
  let current = 0;
  let minted = 0;
  let asked = 0;
  const server = createServer((request, response) => {
    const isKeys = request.url === '/keys';
    if (isKeys) asked++;
    const published = generations.slice(0, current + 1).map(({ jwk }) => jwk);
    const body = isKeys ? { keys: published } : { issuer, jwks_uri: `${issuer}/keys` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await listen(server, 0);
  const issuer = `http://localhost:${portOf(server)}`;
  generations = Array.from({ length: rotations + 1 }, (_, number) => makeGeneration(issuer, number));
  return {
    issuer,
    keyRequests: () => asked,
    mint() {
      minted++;
      return generations[current]?.tokens[minted % CALLERS] ?? '';
    },
    mintUnknown: () => `${signingInput(issuer, randomUUID(), 'nobody')}.${randomBytes(256).toString('base64url')}`,
    rotate() {
      current = Math.min(current + 1, rotations);
    },
    close() {
      server.close().closeAllConnections();
    },
  };
}

function makeGeneration(issuer: string, number: number): Generation {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = `bench-${number}`;
  const tokens = Array.from({ length: CALLERS }, (_, caller) => {
    const input = signingInput(issuer, kid, `api-${caller}`);
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  });
  return { jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }, tokens };
}

function signingInput(issuer: string, kid: string, name: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const sub = `system:serviceaccount:payments:${name}`;
  const claims = { iss: issuer, aud: 'vendor', sub, iat, exp: iat + 7200, jti: randomUUID() };
  const parts = [{ alg: 'RS256', kid, typ: 'JWT' }, claims];
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}
