import { timingSafeEqual } from 'node:crypto';
import { allows } from '../sandbox-sts/policy.ts';
import type { SandboxSession } from '../sandbox-sts/session.ts';

/** What the ARN of a database user is made of. */
export type DatabaseUser = {
  readonly region: string;
  readonly accountId: string | undefined;
  /** `db-…` or `cluster-…`: the resource id, not the name. */
  readonly resourceId: string | undefined;
  readonly user: string;
};

/** Why the security token of a request is not that of the session whose key signed it; undefined when it is. */
export function whySecurityTokenRefused(
  given: string | undefined,
  session: SandboxSession | undefined,
): string | undefined {
  if (!session) return given === undefined ? undefined : 'its access key has no security token';
  if (given === undefined) return 'its security token is missing';
  const [left, right] = [Buffer.from(given), Buffer.from(session.sessionToken)];
  const same = left.length === right.length && timingSafeEqual(left, right);
  return same ? undefined : 'its security token is another';
}

/**
 * Why a session may not connect as a user now; undefined when it may. Source: RDS User Guide, "Creating and using an
 * IAM policy for IAM database access"; IAM User Guide, "Session policies": both policies must allow it.
 */
export function whySessionRefused(session: SandboxSession, database: DatabaseUser, now: number): string | undefined {
  if (now >= session.expiresAt) return 'its session has expired';
  const { region, accountId, resourceId, user } = database;
  if (accountId === undefined || resourceId === undefined) return 'the database does not know its account and id';
  const [, partition = ''] = session.roleArn.split(':');
  const resource = `arn:${partition}:rds-db:${region}:${accountId}:dbuser:${resourceId}/${user}`;
  const policies = [session.permissionPolicy, ...(session.sessionPolicy ? [session.sessionPolicy] : [])];
  const allowed = policies.every((policy) => allows(policy, 'rds-db:connect', resource));
  return allowed ? undefined : 'the policies of its session do not allow this user';
}
