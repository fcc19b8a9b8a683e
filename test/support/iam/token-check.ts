import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type IamDatabase, whyTokenRefused } from '../../../demo/sandbox-database/check-iam-token.ts';

/** One attempt to log in, as the database saw it. */
export type Attempt = { readonly user: string; readonly tokenBytes: number; readonly refused: string | undefined };

export type TokenCheck = {
  /** The Unix socket that the PAM script asks. */
  readonly socketPath: string;
  /** The databases it knows, by the name in the path. */
  readonly databases: Map<string, IamDatabase>;
  /** Every attempt since the last call of `forget`. */
  attempts(): readonly Attempt[];
  forget(): void;
  /** How far the database's clock is ahead, milliseconds. */
  setClockAhead(ms: number): void;
  /** Tokens are refused once they are this old by the database's clock, milliseconds: what 900 s are when time is compressed. */
  setOldest(ms: number): void;
  close(): Promise<void>;
};

/**
 * What RDS asks IAM at each login, for servers whose PAM script posts the password to a Unix socket. The signature is
 * recomputed by the sandbox's code, which shares none with src/.
 */
export async function startTokenCheck(): Promise<TokenCheck> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-iam-'));
  // The servers run as other users.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'socket'));
  const socketPath = join(folder, 'socket', 'check');
  const databases = new Map<string, IamDatabase>();
  let attempts: Attempt[] = [];
  let clockAhead = 0;
  let oldest = Number.POSITIVE_INFINITY;

  function whyRefused(name: string, user: string, token: string): string | undefined {
    const database = databases.get(name);
    if (database === undefined) return `there is no database ${name}`;
    const now = Date.now() + clockAhead;
    const why = whyTokenRefused(token, user, database, now);
    if (why !== undefined) return why;
    return now - signedAt(token) >= oldest ? 'it has expired in compressed time' : undefined;
  }

  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://check');
      const token = await text(request);
      const user = searchParams.get('user') ?? '';
      const refused = whyRefused(pathname.slice(1), user, token);
      attempts.push({ user, tokenBytes: Buffer.byteLength(token), refused });
      response.writeHead(refused === undefined ? 204 : 403).end();
    })();
  });
  server.listen(socketPath);
  await once(server, 'listening');
  chmodSync(socketPath, 0o777);
  return {
    socketPath,
    databases,
    attempts: () => attempts,
    forget: () => {
      attempts = [];
    },
    setClockAhead: (ms) => {
      clockAhead = ms;
    },
    setOldest: (ms) => {
      oldest = ms;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function signedAt(token: string): number {
  const [, date = ''] = /X-Amz-Date=(\d{8}T\d{6}Z)/.exec(token) ?? [];
  return Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
