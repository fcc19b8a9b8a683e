import { mustParseArn } from './arn.ts';
import { type Caller, principalNames } from './caller.ts';
import { packedPolicySize, type RoleParameters, readAssumeRole, readWebIdentity, type Form } from './parameters.ts';
import { allows } from './policy.ts';
import { type NewSession, type SandboxRole, type SandboxSession, type Sessions, uniqueId } from './session.ts';
import { accessDenied, StsError, validationError } from './sts-error.ts';
import type { Tags } from './tags.ts';
import { untrustedAction } from './trust-policy.ts';
import { type VerifyJwt, verifyWebIdentity } from './web-identity.ts';
import type { Element } from './xml.ts';

export type RoleDesk = {
  readonly roles: ReadonlyMap<string, SandboxRole>;
  readonly sessions: Sessions;
  readonly verifyJwt: VerifyJwt | undefined;
  readonly now: () => number;
  /** Hands out sessions that are over already. */
  readonly expired: boolean;
};

/** A session of a role that assumes a role cannot be longer. */
const LONGEST_CHAINED_S = 3600;
const LONGEST_SESSION_S = 43_200;

export function assumeRole(form: Form, caller: Caller, desk: RoleDesk): Element {
  const handedOn = caller.session?.transitiveTags ?? new Map<string, string>();
  const parameters = readAssumeRole(form, handedOn);
  const { roleArn, externalId } = parameters;
  refuseConflict(parameters.tags, handedOn);
  const tags = new Map([...parameters.tags, ...handedOn]);
  const transitiveTags = new Map([...parameters.transitiveTags, ...handedOn]);
  const denied = (action: string): StsError =>
    accessDenied(`User: ${caller.arn} is not authorized to perform: ${action} on resource: ${roleArn}`);
  // A source identity stays through a chain of roles, and none of them can change it.
  const inherited = caller.session?.sourceIdentity ?? null;
  const sourceIdentity = parameters.sourceIdentity ?? inherited;
  if (inherited !== null && sourceIdentity !== inherited) throw denied('sts:SetSourceIdentity');
  const actions = [
    'sts:AssumeRole',
    ...(tags.size > 0 ? ['sts:TagSession'] : []),
    ...(sourceIdentity === null ? [] : ['sts:SetSourceIdentity']),
  ];

  const context = new Map([['sts:rolesessionname', parameters.sessionName]]);
  if (externalId !== null) context.set('sts:externalid', externalId);
  if (sourceIdentity !== null) context.set('sts:sourceidentity', sourceIdentity);
  for (const [key, value] of tags) context.set(`aws:requesttag/${key.toLowerCase()}`, value);

  const role = desk.roles.get(roleArn);
  // Of a role that does not exist STS says the same: it tells nobody which roles an account has.
  if (!role) throw denied('sts:AssumeRole');
  const untrusted = untrustedAction(role.trustPolicy, actions, {
    kind: 'AWS',
    names: principalNames(caller),
    context,
  });
  const unallowed = actions.find((action) => !mayCall(caller.session, action, roleArn));
  const missing = untrusted ?? unallowed;
  if (missing !== undefined) throw denied(missing);
  if (caller.session && parameters.durationSeconds > LONGEST_CHAINED_S) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  const session = open(parameters, role, { tags, transitiveTags, sourceIdentity }, desk);
  return describe(session, parameters, sourceIdentity);
}

export async function assumeRoleWithWebIdentity(form: Form, desk: RoleDesk): Promise<Element> {
  const parameters = readWebIdentity(form);
  const { roleArn, webIdentityToken, sessionName } = parameters;
  const { provider, subject, audience } = await verifyWebIdentity(webIdentityToken, desk.verifyJwt);
  const issuer = provider.replace(/^https?:\/\//, '').replace(/\/$/, '');
  const { partition, account } = mustParseArn(roleArn);
  const role = desk.roles.get(roleArn);
  const action = 'sts:AssumeRoleWithWebIdentity';
  const request = {
    kind: 'Federated',
    names: [`arn:${partition}:iam::${account}:oidc-provider/${issuer}`],
    context: new Map([
      [`${issuer}:sub`.toLowerCase(), subject],
      [`${issuer}:aud`.toLowerCase(), audience],
      ['sts:rolesessionname', sessionName],
    ]),
  } as const;
  if (!role || untrustedAction(role.trustPolicy, [action], request) !== undefined) {
    throw accessDenied(`Not authorized to perform ${action}`);
  }
  const session = open(parameters, role, { tags: new Map(), transitiveTags: new Map(), sourceIdentity: null }, desk);
  const described = describe(session, parameters, null);
  return { SubjectFromWebIdentityToken: subject, Audience: audience, Provider: provider, ...described };
}

/** What a chain of roles hands on cannot be changed on the way (IAM User Guide, "Chaining roles with session tags"). */
function refuseConflict(tags: Tags, handedOn: Tags): void {
  const taken = new Set([...handedOn.keys()].map((key) => key.toLowerCase()));
  if (![...tags.keys()].some((key) => taken.has(key.toLowerCase()))) return;
  const message =
    "One of the specified tag keys can't be set because it conflicts with a transitive tag key of the calling session.";
  throw new StsError(400, 'InvalidParameterValue', message);
}

/** A session is held to its role's policy and its own; users are not. */
function mayCall(session: SandboxSession | null, action: string, roleArn: string): boolean {
  if (!session) return true;
  const { permissionPolicy, sessionPolicy } = session;
  return allows(permissionPolicy, action, roleArn) && (!sessionPolicy || allows(sessionPolicy, action, roleArn));
}

function open(
  { roleArn, sessionName, durationSeconds, policy, packedLength }: RoleParameters,
  { maxSessionSeconds = LONGEST_SESSION_S }: SandboxRole,
  more: Pick<NewSession, 'tags' | 'transitiveTags' | 'sourceIdentity'>,
  { sessions, now, expired }: RoleDesk,
): SandboxSession {
  if (durationSeconds > maxSessionSeconds) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  const lifeMs = expired ? -1000 : durationSeconds * 1000;
  const expiresAt = Math.floor((now() + lifeMs) / 1000) * 1000;
  return sessions.add({ ...more, roleArn, sessionName, expiresAt, sessionPolicy: policy, packedLength });
}

function describe(session: SandboxSession, { packedLength }: RoleParameters, sourceIdentity: string | null) {
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${uniqueId('AROA', session.roleArn)}:${session.sessionName}`,
      Arn: session.assumedRoleArn,
    },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(session.expiresAt).toISOString().replace('.000Z', 'Z'),
    },
    PackedPolicySize: packedLength > 0 ? packedPolicySize(packedLength) : undefined,
    SourceIdentity: sourceIdentity ?? undefined,
  };
}
