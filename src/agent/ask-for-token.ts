import { readFile } from 'node:fs/promises';
import { type Connection } from '../rds/connection.ts';
import { AgentFailure } from './agent-failure.ts';

/** What a token is asked for. */
export type Wanted = {
  /** The service's address, without a slash at its end. */
  readonly url: string;
  readonly jwtFile: string;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly endpoint?: string | undefined;
};

/** A token with its life, counted from when it was signed, so that the two clocks need not agree. */
export type Vended = {
  readonly token: string;
  readonly auditId: string;
  readonly expiresAt: string;
  /** Milliseconds of its life, and until it should be replaced. */
  readonly lifeMs: number;
  readonly refreshMs: number;
  readonly connection: Connection;
  readonly caBundle: { readonly href: string; readonly sha256: string };
};

const TIMEOUT_MS = 15_000;
/** An answer has some 4 KB, and a CA bundle some 200. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_RETRY_AFTER_S = 3600;
/** A token that is to be replaced at once would be asked for without a pause. */
const LEAST_REFRESH_MS = 1000;

/**
 * Asks the service for a token as `POST /v1/tokens` does for JSON. The JWT's file is read anew each time: it is rotated.
 *
 * @throws {AgentFailure} where there is no token; it says why and holds no JWT.
 */
export async function askForToken(wanted: Wanted): Promise<Vended> {
  const jwt = await readJwt(wanted.jwtFile);
  const { database, user, endpoint } = wanted;
  const body = JSON.stringify({ database, user, endpoint, client: 'rds-token-vendor-agent' });
  const headers = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' };
  const text = await ask(`${wanted.url}/v1/tokens`, { method: 'POST', headers, body }, 201);
  try {
    return readAnswer(JSON.parse(text));
  } catch (error) {
    throw new AgentFailure('the answer of the service is not what it should be', { cause: error });
  }
}

/** The PEM of a CA bundle. */
export function askForBundle(url: string, href: string): Promise<string> {
  return ask(`${url}${href}`, {}, 200);
}

async function readJwt(path: string): Promise<string> {
  // Shown nowhere, where it was given in the place of its file's name.
  if (path.startsWith('eyJ')) throw new AgentFailure('the name of the JWT’s file is a JWT', { isFinal: true });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new AgentFailure(`the JWT's file cannot be read: ${path}`, { cause: error });
  });
  const jwt = text.trim();
  if (!/^[\w.-]+$/.test(jwt)) throw new AgentFailure(`${path} holds no JWT`);
  return jwt;
}

async function ask(url: string, init: RequestInit, expected: number): Promise<string> {
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await readCapped(answer);
  } catch (error) {
    throw new AgentFailure(`${url} cannot be reached${whyUnreachable(error)}`, { cause: error });
  }
  if (answer.status === expected) return text;
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = seconds >= 0 && seconds <= MAX_RETRY_AFTER_S ? seconds * 1000 : undefined;
  const { type, auditId } = problemIn(answer, text);
  const hint = HINTS.get(type ?? (answer.status === 404 ? 'not-found' : ''));
  const said = [String(answer.status), ...(type === undefined ? [] : [type])].join(' ');
  throw new AgentFailure(`${url} answered ${said}${hint === undefined ? '' : `: ${hint}`}`, {
    retryAfterMs,
    auditId,
    // An ingress without the service behind it answers 404 too.
    isFinal: type !== undefined && FINAL_STATUSES.has(answer.status),
  });
}

/** A wrong request stays wrong. 401 and 403 may be mended elsewhere: by a new JWT, by another grant. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 413, 415, 422]);

const HINTS: ReadonlyMap<string, string> = new Map([
  ['choice-ambiguous', 'several choices are left to --database, --user and --endpoint'],
  ['not-found', '--url is not the address of the service'],
]);

/**
 * The problem's type, such as `token-invalid`, and the id of its record. Nothing else of a body is repeated: a proxy's page
 * may echo the JWT.
 */
function problemIn(answer: Response, text: string): { readonly type?: string; readonly auditId?: string } {
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) return {};
  const [, type] = /"type":"urn:rds-token-vendor:problem:([a-z:-]{1,64})"/.exec(text) ?? [];
  const [, auditId] = /"audit_id":"([0-9a-f-]{36})"/.exec(text) ?? [];
  return { ...(type === undefined ? {} : { type }), ...(auditId === undefined ? {} : { auditId }) };
}

function whyUnreachable(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (NO_TLS.has(code)) return ': there is no TLS at that port';
  return /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? `: ${code}` : '';
}

const NO_TLS: ReadonlySet<string> = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

async function readCapped(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function readAnswer(answer: Answer): Vended {
  const { token, audit_id, issued_at, expires_at, refresh_after, connection, ca_bundle } = answer;
  const [issued = Number.NaN, expires = Number.NaN, refresh = Number.NaN] = [issued_at, expires_at, refresh_after].map(
    (instant) => Date.parse(instant),
  );
  const [lifeMs, refreshMs] = [expires - issued, refresh - issued];
  if (typeof token !== 'string' || token === '' || !(refreshMs >= LEAST_REFRESH_MS && refreshMs <= lifeMs)) {
    throw new TypeError('it has no token with a life');
  }
  if (typeof connection?.engine !== 'string') throw new TypeError('it has no connection');
  const { href, sha256 } = ca_bundle;
  if (!/^\/v1\/ca-bundles\/[\w.-]+\.pem$/.test(href) || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new TypeError('it has no CA bundle');
  }
  return { token, auditId: audit_id, expiresAt: expires_at, lifeMs, refreshMs, connection, caBundle: { href, sha256 } };
}

type Answer = {
  readonly token: string;
  readonly audit_id: string;
  readonly issued_at: string;
  readonly expires_at: string;
  readonly refresh_after: string;
  readonly connection: Connection;
  readonly ca_bundle: { readonly href: string; readonly sha256: string };
};
