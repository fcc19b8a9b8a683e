import { createHash, randomBytes } from 'node:crypto';
import { assumedRoleArn } from './arn.ts';
import { NOTHING, type PolicyDocument } from './policy.ts';

export type SandboxRole = {
  readonly trustPolicy: PolicyDocument;
  readonly permissionPolicy: PolicyDocument;
  /** The role's MaxSessionDuration; 43200 when it is not set. */
  readonly maxSessionSeconds?: number;
};

/** The temporary credentials of a role's session, and what they may do. */
export type SandboxSession = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch, a whole second. */
  readonly expiresAt: number;
  readonly roleArn: string;
  readonly assumedRoleArn: string;
  readonly sessionName: string;
  readonly sessionPolicy: PolicyDocument | null;
  /** The role's, as it is now: AWS too applies a change to sessions that live. */
  readonly permissionPolicy: PolicyDocument;
  readonly sourceIdentity: string | null;
  readonly tags: ReadonlyMap<string, string>;
  /** Those of `tags` that go on to every role which the session assumes. */
  readonly transitiveTags: ReadonlyMap<string, string>;
};

export type NewSession = Pick<
  SandboxSession,
  'expiresAt' | 'roleArn' | 'sessionName' | 'sessionPolicy' | 'sourceIdentity' | 'tags' | 'transitiveTags'
> & {
  /** Characters of the session policy and the tags: AWS packs both into the token, which grows with them. */
  readonly packedLength: number;
};

export type Sessions = {
  add(session: NewSession): SandboxSession;
  find(accessKeyId: string): SandboxSession | undefined;
};

/** A token without a policy and tags has about this many bytes. */
const TOKEN_BYTES = 400;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function createSessions(roles: ReadonlyMap<string, SandboxRole>): Sessions {
  const sessions = new Map<string, Omit<SandboxSession, 'permissionPolicy'>>();

  function find(accessKeyId: string): SandboxSession | undefined {
    const session = sessions.get(accessKeyId);
    return session && { ...session, permissionPolicy: roles.get(session.roleArn)?.permissionPolicy ?? NOTHING };
  }

  function add({ packedLength, ...session }: NewSession): SandboxSession {
    const accessKeyId = `ASIA${base32(randomBytes(16))}`;
    sessions.set(accessKeyId, {
      ...session,
      accessKeyId,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(TOKEN_BYTES + packedLength).toString('base64'),
      assumedRoleArn: assumedRoleArn(session.roleArn, session.sessionName),
    });
    const added = find(accessKeyId);
    if (!added) throw new Error('the session was not kept');
    return added;
  }

  return { add, find };
}

/** IAM's unique id of a user (`AIDA…`) or role (`AROA…`): the same for as long as the ARN is. */
export function uniqueId(prefix: 'AIDA' | 'AROA', arn: string): string {
  return prefix + base32(createHash('sha256').update(arn).digest().subarray(0, 17));
}

function base32(bytes: Buffer): string {
  return [...bytes].map((byte) => BASE32[byte % BASE32.length]).join('');
}
