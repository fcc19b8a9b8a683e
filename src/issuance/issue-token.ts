import { createHash } from 'node:crypto';
import { type AuditDraft, MOST_OBSERVED } from './audit-record.ts';
import {
  type AuthToken,
  MIN_REMAINING_SECONDS,
  requireLife,
  type ResolveCredentials,
  type SignAuthToken,
} from './auth-token.ts';
import {
  type Authenticate,
  authenticateCaller,
  bearerOf,
  type CallerRequest,
  circumstancesOf,
} from './authenticate-caller.ts';
import { authorize, type Permission, type WantedIdentity } from './authorize.ts';
import { type Database, databaseUserArn } from './database.ts';
import { decideOnRecord, type Outcome, type Recording } from './decide-on-record.ts';
import type { Grants } from './grants.ts';
import { accept, type Decided, type Refusal } from './refusal.ts';

/** What issuing needs from the outside. */
export type IssuancePorts = Recording & {
  readonly authenticate: Authenticate;
  readonly grants: Grants;
  /** Throws a `Fault` while no CA bundle for the database is in force: a token without one invites unverified TLS. */
  requireCaBundle(database: Database): void;
  readonly resolveCredentials: ResolveCredentials;
  readonly signAuthToken: SignAuthToken;
};

/** How long the caller needs the token to live at least, seconds. */
export type WantedLife = { readonly min_remaining?: number | undefined };

/** One request for a token. The functions are the transport's part of the decision. */
export type TokenRequest<Wanted extends WantedIdentity & WantedLife> = CallerRequest & {
  /** Reads the body. Called only for an authenticated caller, so that nobody else learns how it is read. */
  readonly readWanted: () => Decided<Wanted>;
  /** A refusal when a limit is reached, or for a rendering that the database's engine lacks. */
  readonly admitPermission: (permission: Permission, wanted: Wanted) => Promise<Refusal | undefined>;
  /** A refusal where the signed token does not fit what it was asked for. It is given to nobody then. */
  readonly admitToken: (token: string, wanted: Wanted) => Refusal | undefined;
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
export function issueToken<Wanted extends WantedIdentity & WantedLife>(
  ports: IssuancePorts,
  request: TokenRequest<Wanted>,
  now: number,
): Promise<Outcome<Issued<Wanted>>> {
  return decideOnRecord(ports, request.facts, now, 'records_success', async (draft) => {
    // Authenticate: who is this?
    const authenticated = await authenticateCaller(ports.authenticate, request, now, draft);
    if (!authenticated.ok) return authenticated;
    const caller = authenticated.value;
    const read = request.readWanted();
    if (!read.ok) return read;
    const wanted = read.value;
    noteWanted(draft, wanted);

    // Authorize: may it be that database user?
    const { decided, observed } = authorize(caller, wanted, ports.grants, circumstancesOf(request, now));
    noteGrants(draft, decided, observed);
    if (!decided.ok) return decided;
    const permission = decided.value;
    notePermission(draft, permission);
    const refusedPermission = await request.admitPermission(permission, wanted);
    if (refusedPermission) return { ok: false, refusal: refusedPermission };

    // Sign: the token stays here until the record is durable.
    const { database, endpoint, user } = permission;
    ports.requireCaBundle(database);
    const jwt = bearerOf(request.credentials) ?? '';
    const minLifeMs = (wanted.min_remaining ?? MIN_REMAINING_SECONDS) * 1000;
    const wantedCredentials = { database, user, caller, jwt, auditId: draft.id, minLifeMs };
    const credentials = await ports.resolveCredentials(wantedCredentials);
    draft.accessKeyId = credentials.accessKeyId;
    draft.roleArn = credentials.roleArn;
    const token = await ports.signAuthToken({ endpoint, region: database.region, user, credentials, now });
    requireLife(token, minLifeMs);
    const refusedToken = request.admitToken(token.token, wanted);
    if (refusedToken) return { ok: false, refusal: refusedToken };
    draft.tokenFingerprint = createHash('sha256').update(token.token).digest('hex');
    draft.tokenExpiresAt = token.expiresAt;
    return accept({ token, permission, wanted });
  });
}

/** What was asked for, so that a refusal shows it too. */
function noteWanted(draft: AuditDraft, wanted: WantedIdentity & { readonly client?: string | undefined }): void {
  draft.database = wanted.database ?? null;
  draft.user = wanted.user ?? null;
  draft.endpoint = wanted.endpoint ?? null;
  draft.client = wanted.client ?? null;
}

/** Which grant decided, and which only watched. */
function noteGrants(draft: AuditDraft, decided: Decided<Permission>, observed: readonly string[]): void {
  draft.observed = observed.length === 0 ? null : observed.slice(0, MOST_OBSERVED);
  if (decided.ok) draft.grant = decided.value.grant;
  else if (decided.refusal.reason === 'not_granted') draft.grant = decided.refusal.grant ?? null;
}

function notePermission(draft: AuditDraft, { database, endpoint, user }: Permission): void {
  draft.database = database.name;
  draft.endpoint = endpoint.name;
  draft.host = endpoint.host;
  draft.port = endpoint.port;
  draft.region = database.region;
  draft.user = user;
  draft.resourceArn = databaseUserArn(database, user);
}
