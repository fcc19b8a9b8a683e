import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SandboxSession } from '../sandbox-sts/session.ts';
import { whySecurityTokenRefused, whySessionRefused } from './check-session.ts';

/*
 * The database's side of IAM authentication, for the sandbox: it recomputes the signature from the secret access key
 * with node:crypto alone. It shares no code with src/, so a mistake of the service cannot vouch for itself.
 * Source: AWS, "Signature Version 4 signing process", query string form.
 */

/** The database that tokens must be for, and the keys that AWS knows. */
export type IamDatabase = {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  /** Of long-lived keys, by the access key id. They may connect as any user. */
  readonly secretAccessKeys: ReadonlyMap<string, string>;
  /** Where the database is for IAM: without these two no session may connect. */
  readonly accountId?: string;
  readonly resourceId?: string;
  /** The role's session that has this access key id. */
  readonly session?: (accessKeyId: string) => SandboxSession | undefined;
};

const LIFE_MS = 900_000;
/** AWS accepts a signature from a clock that is this much ahead. */
const MOST_AHEAD_MS = 300_000;
const EMPTY_PAYLOAD = createHash('sha256').digest('hex');
const PARAMETERS = [
  'Action',
  'DBUser',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
];
/** Only tokens that temporary keys signed have it. */
const SECURITY_TOKEN = 'X-Amz-Security-Token';

/**
 * Whether a token lets `user` in at `now` (milliseconds since the epoch): undefined when it does, else one phrase for
 * the server's log. A client reads nothing but "PAM authentication failed".
 */
export function whyTokenRefused(token: string, user: string, database: IamDatabase, now: number): string | undefined {
  const origin = `${database.host}:${database.port}`;
  if (!token.startsWith(`${origin}/?`)) return 'it is for another host or port';
  const given = parseQuery(token.slice(origin.length + 2));
  if (typeof given === 'string') return given;
  const value = (name: string): string => given.get(name) ?? '';
  if (value('Action') !== 'connect') return 'its Action is not connect';
  if (value('DBUser') !== user) return 'it is for another user';
  if (value('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return 'its algorithm is not AWS4-HMAC-SHA256';
  if (value('X-Amz-Expires') !== '900') return 'its X-Amz-Expires is not 900';
  if (value('X-Amz-SignedHeaders') !== 'host') return 'its signed header is not host';

  const date = value('X-Amz-Date');
  const signedAt = parseDate(date);
  if (Number.isNaN(signedAt)) return 'its X-Amz-Date is not a date';
  if (signedAt > now + MOST_AHEAD_MS) return 'it is from the future';
  if (now >= signedAt + LIFE_MS) return 'it has expired';

  const [accessKeyId = '', ...scope] = value('X-Amz-Credential').split('/');
  if (scope.join('/') !== `${date.slice(0, 8)}/${database.region}/rds-db/aws4_request`) return 'its scope is another';
  const session = database.session?.(accessKeyId);
  const secret = database.secretAccessKeys.get(accessKeyId) ?? session?.secretAccessKey;
  if (secret === undefined) return 'its access key is unknown';
  const why = whySecurityTokenRefused(given.get(SECURITY_TOKEN), session);
  if (why !== undefined) return why;
  if (!equal(value('X-Amz-Signature'), sign(given, origin, scope, secret))) return 'its signature is wrong';
  if (!session) return undefined;
  const { region, accountId, resourceId } = database;
  return whySessionRefused(session, { region, accountId, resourceId, user }, now);
}

/** Each expected parameter exactly once and no other but a security token, or a phrase that says otherwise. */
function parseQuery(query: string): ReadonlyMap<string, string> | string {
  const given = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0));
    if (name !== SECURITY_TOKEN && !PARAMETERS.includes(name)) return 'it has a parameter that does not belong';
    if (given.has(name)) return 'it has a parameter twice';
    const encoded = pair.slice(equals + 1);
    if (!/^(?:[A-Za-z0-9_.~-]|%[0-9A-Fa-f]{2})*$/.test(encoded)) return 'its encoding is wrong';
    try {
      given.set(name, decodeURIComponent(encoded));
    } catch (error) {
      if (error instanceof URIError) return 'its encoding is wrong';
      throw error;
    }
  }
  return PARAMETERS.every((name) => given.has(name)) ? given : 'it lacks a parameter';
}

function sign(given: ReadonlyMap<string, string>, origin: string, scope: readonly string[], secret: string): string {
  const query = [...given]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const request = ['GET', '/', query, `host:${origin}`, '', 'host', EMPTY_PAYLOAD].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', given.get('X-Amz-Date'), scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function equal(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** `20261124T101500Z` in milliseconds since the epoch, NaN for anything else. */
function parseDate(date: string): number {
  if (!/^\d{8}T\d{6}Z$/.test(date)) return Number.NaN;
  return Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
