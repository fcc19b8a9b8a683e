import { hash } from 'node:crypto';
import type { CredentialsRequest } from '../issuance/auth-token.ts';
import type { Caller } from '../issuance/caller.ts';
import { databaseUserArn } from '../issuance/database.ts';
import { awsText, sessionNamePart, SOURCE_IDENTITY, TAG_VALUE } from './aws-text.ts';
import type { RolePlan, WebIdentityPlan } from './credential-plan.ts';
import { sessionPolicy } from './session-policy.ts';

/** What STS is asked for. */
export type SessionRequest = {
  readonly sessionName: string;
  /** JSON; null leaves the session everything that the role may. */
  readonly policy: string | null;
  readonly sourceIdentity: string | null;
  readonly tags: readonly (readonly [key: string, value: string])[];
};

type Wanted = Pick<CredentialsRequest, 'database' | 'user' | 'caller' | 'jwt' | 'auditId'>;

const MOST_SESSION_NAME = 64;

/**
 * Requests of one key share a session, by the scope of their database: `shared` is one of the role, `perUser` one of a
 * database user, `perCaller` one of a caller as that user. With web identity every session is of one JWT as well.
 */
export function sessionKey(plan: RolePlan | WebIdentityPlan, { caller, jwt, database, user }: Wanted): string {
  const parts = [plan.key];
  if (plan.scope !== 'shared') parts.push(databaseUserArn(database, user));
  if (plan.scope === 'perCaller') parts.push(JSON.stringify([database.name, caller.issuer, caller.subject]));
  if (plan.kind === 'webIdentity') parts.push(hash('sha256', jwt, 'base64url'));
  // Neither an ARN nor JSON has a line end.
  return parts.join('\n');
}

/**
 * The session of a request. All but `shared` have a policy with one database user; `perCaller` also names the caller in the
 * session name, the source identity and the tags, so that CloudTrail's AssumeRole and RDS's log of IAM errors do.
 *
 * @param instance this instance's name in the audit, which sessions that are nobody's are named after
 */
export function sessionRequest(plan: RolePlan | WebIdentityPlan, wanted: Wanted, instance: string): SessionRequest {
  const { caller, database, user } = wanted;
  const perCaller = plan.scope === 'perCaller';
  const role = plan.kind === 'role';
  return {
    sessionName: perCaller ? callerSessionName(wanted) : sharedSessionName(instance),
    policy: plan.scope === 'shared' ? null : sessionPolicy(databaseUserArn(database, user)),
    // AssumeRoleWithWebIdentity takes neither: they come from the JWT's own claims.
    sourceIdentity: role ? (perCaller ? sourceIdentityOf(caller) : plan.sourceIdentity) : null,
    tags: role ? [...plan.tags, ...(perCaller ? callerTags(wanted) : [])] : [],
  };
}

/** Of a session that several callers use: whose service it is, and which instance of it. */
export function sharedSessionName(instance: string): string {
  const prefix = 'rds-token-vendor@';
  return prefix + awsText(instance, sessionNamePart(MOST_SESSION_NAME - prefix.length));
}

/** `AUDIT-ID@CALLER`: the record of the request that opened the session, and who it was, as far as 64 characters go. */
function callerSessionName({ auditId, caller }: Wanted): string {
  const prefix = `${auditId}@`;
  return prefix + awsText(labelOf(caller), sessionNamePart(MOST_SESSION_NAME - prefix.length));
}

/** `CALLER@ISSUER`. The name of an issuer has no `@`. */
function sourceIdentityOf(caller: Caller): string {
  return awsText(`${labelOf(caller)}@${caller.issuer}`, SOURCE_IDENTITY);
}

function callerTags({ caller, database, user }: Wanted): [string, string][] {
  return [
    ['rtv-issuer', caller.issuer],
    ['rtv-subject', awsText(caller.subject, TAG_VALUE)],
    ['rtv-database', database.name],
    ['rtv-user', awsText(user, TAG_VALUE)],
  ];
}

/** A service account is `NAMESPACE.NAME`, since its subject has characters that a session name may not have. */
function labelOf({ workload, subject }: Caller): string {
  return workload === null ? subject : `${workload.namespace}.${workload.serviceAccount}`;
}
