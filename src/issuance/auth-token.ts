import type { Database, Endpoint } from './database.ts';

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

/** Resolves the credentials that sign for a database; throws a `Fault` when there are none that still live. */
export type ResolveCredentials = (database: Database) => Promise<SigningCredentials>;

/** Signs one token, checks it, and throws a `Fault` rather than return one that is not exactly what was asked. */
export type SignAuthToken = (input: {
  readonly endpoint: Endpoint;
  readonly region: string;
  readonly user: string;
  readonly credentials: SigningCredentials;
  /** Milliseconds since the epoch. */
  readonly now: number;
}) => Promise<AuthToken>;

/** How long before expiry a token should be replaced: at two thirds of its life. Milliseconds since the epoch. */
export function refreshAfter(token: AuthToken): number {
  return token.issuedAt + Math.floor(((token.expiresAt - token.issuedAt) * 2) / 3);
}
