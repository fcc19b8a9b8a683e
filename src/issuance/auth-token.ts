import type { Caller } from './caller.ts';
import type { Database, Endpoint } from './database.ts';
import { Fault } from './fault.ts';

/** AWS credentials that sign. They never leave the process and are never logged. */
export type SigningCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** When AWS stops honouring them, milliseconds since the epoch; null for static keys. */
  readonly expiresAt: number | null;
};

/** A signed RDS auth token and its true life, in milliseconds since the epoch. */
export type AuthToken = {
  readonly token: string;
  readonly issuedAt: number;
  /** `min(issuedAt + 900 s, the credentials' expiry)`. */
  readonly expiresAt: number;
  readonly limitedBy: 'rds' | 'credentials';
};

/** Whom the credentials are to sign for. */
export type CredentialsRequest = {
  readonly database: Database;
  readonly user: string;
  readonly caller: Caller;
  /** The caller's own JWT, as it was verified. */
  readonly jwt: string;
  /** The id of the decision's record: sessions of one caller are named after the first one. */
  readonly auditId: string;
  /** How long the credentials must live at least, milliseconds. */
  readonly minLifeMs: number;
};

/** Credentials with whose they are. */
export type ResolvedCredentials = SigningCredentials & {
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` of a role that was assumed for the database; null otherwise. */
  readonly roleArn: string | null;
};

/** Resolves the credentials that sign; throws a `Fault` when there are none that live long enough. */
export type ResolveCredentials = (request: CredentialsRequest) => Promise<ResolvedCredentials>;

/** Signs one token, checks it, and throws a `Fault` rather than return one that is not exactly what was asked. */
export type SignAuthToken = (input: {
  readonly endpoint: Endpoint;
  readonly region: string;
  readonly user: string;
  readonly credentials: SigningCredentials;
  /** Milliseconds since the epoch. */
  readonly now: number;
}) => Promise<AuthToken>;

/** What a caller that asks for nothing else gets at least, seconds: less is no use to one that has still to connect. */
export const MIN_REMAINING_SECONDS = 60;

/**
 * @throws {Fault} `credentials_expiring` for a token that lives less than the caller asked for: refused, never served
 *   short.
 */
export function requireLife({ issuedAt, expiresAt }: AuthToken, minLifeMs: number): void {
  const life = expiresAt - issuedAt;
  if (life >= minLifeMs) return;
  const seconds = Math.max(0, Math.floor(life / 1000));
  throw new Fault(
    'credentials_expiring',
    `the token would live ${seconds} s, as its AWS credentials do, and ${minLifeMs / 1000} s were asked for`,
  );
}

/** How long before expiry a token should be replaced: at two thirds of its life. Milliseconds since the epoch. */
export function refreshAfter(token: AuthToken): number {
  return token.issuedAt + Math.floor(((token.expiresAt - token.issuedAt) * 2) / 3);
}
