import { createHash } from 'node:crypto';
import type { AuditDraft, RequestFacts } from './audit-record.ts';
import type { AuthToken, ResolveCredentials, SignAuthToken } from './auth-token.ts';
import { authorize, type Permission, type WantedIdentity } from './authorize.ts';
import type { Caller } from './caller.ts';
import { type Database, databaseUserArn } from './database.ts';
import { decideOnRecord, type Outcome, type Recording } from './decide-on-record.ts';
import type { Grants } from './grants.ts';
import { accept, type Decided, type Refusal } from './refusal.ts';

/** Verifies the bearer of a request. `authorization` holds every `Authorization` header value, in order. */
export type Authenticate = (authorization: readonly string[], now: number) => Promise<Decided<Caller>>;

/** What issuing needs from the outside. */
export type IssuancePorts = Recording & {
  readonly authenticate: Authenticate;
  readonly grants: Grants;
  /** Throws a `Fault` while no CA bundle for the database is in force: a token without one invites unverified TLS. */
  requireCaBundle(database: Database): void;
  readonly resolveCredentials: ResolveCredentials;
  readonly signAuthToken: SignAuthToken;
};

/** One request for a token. The functions are the transport's part of the decision. */
export type TokenRequest<Wanted extends WantedIdentity> = {
  readonly facts: RequestFacts;
  readonly authorization: readonly string[];
  /** Reads the body. Called only for an authenticated caller, so that nobody else learns how it is read. */
  readonly readWanted: () => Decided<Wanted>;
  /** A refusal when the caller has asked too often, or asks for a rendering that its database's engine lacks. */
  readonly admitCaller: (caller: Caller) => Promise<Refusal | undefined>;
  readonly admitPermission: (permission: Permission, wanted: Wanted) => Promise<Refusal | undefined>;
};

/** An issued token, whose record is durable. */
export type Issued<Wanted> = { readonly token: AuthToken; readonly permission: Permission; readonly wanted: Wanted };

/**
 * Issues one token: authenticate, authorize, sign, record, return.
 *
 * Signing is local, so the token exists only in this process until its record is durable (`decideOnRecord`): delivered
 * but unrecorded cannot happen, recorded but undelivered is harmless.
 *
 * @param now milliseconds since the epoch; every check of this decision uses this one instant.
 */
export function issueToken<Wanted extends WantedIdentity>(
  ports: IssuancePorts,
  request: TokenRequest<Wanted>,
  now: number,
): Promise<Outcome<Issued<Wanted>>> {
  return decideOnRecord(ports, request.facts, now, 'records_success', async (draft) => {
    // Authenticate: who is this?
    const authenticated = await ports.authenticate(request.authorization, now);
    if (!authenticated.ok) return authenticated;
    const caller = authenticated.value;
    noteCaller(draft, caller);
    const refusedCaller = await request.admitCaller(caller);
    if (refusedCaller) return { ok: false, refusal: refusedCaller };
    const read = request.readWanted();
    if (!read.ok) return read;
    const wanted = read.value;
    noteWanted(draft, wanted);

    // Authorize: may it be that database user?
    const authorized = authorize(caller, wanted, ports.grants);
    if (!authorized.ok) return authorized;
    const permission = authorized.value;
    notePermission(draft, permission);
    const refusedPermission = await request.admitPermission(permission, wanted);
    if (refusedPermission) return { ok: false, refusal: refusedPermission };

    // Sign: the token stays here until the record is durable.
    const { database, endpoint, user } = permission;
    ports.requireCaBundle(database);
    const credentials = await ports.resolveCredentials(database);
    const token = await ports.signAuthToken({ endpoint, region: database.region, user, credentials, now });
    draft.accessKeyId = credentials.accessKeyId;
    draft.tokenFingerprint = sha256(token.token);
    draft.tokenExpiresAt = token.expiresAt;
    return accept({ token, permission, wanted });
  });
}

/** Puts the verified caller on the record. */
export function noteCaller(draft: AuditDraft, caller: Caller): void {
  draft.issuer = caller.issuer;
  draft.subject = caller.subject;
  draft.claims = caller.keptClaims;
  const { jti } = caller.claims;
  if (typeof jti === 'string') draft.jtiHash = sha256(jti);
}

/** What was asked for, so that a refusal shows it too. */
function noteWanted(draft: AuditDraft, wanted: WantedIdentity & { readonly client?: string | undefined }): void {
  draft.database = wanted.database ?? null;
  draft.user = wanted.user ?? null;
  draft.endpoint = wanted.endpoint ?? null;
  draft.client = wanted.client ?? null;
}

function notePermission(draft: AuditDraft, { database, endpoint, user, grant }: Permission): void {
  draft.database = database.name;
  draft.endpoint = endpoint.name;
  draft.host = endpoint.host;
  draft.port = endpoint.port;
  draft.region = database.region;
  draft.user = user;
  draft.resourceArn = databaseUserArn(database, user);
  draft.grant = grant;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
