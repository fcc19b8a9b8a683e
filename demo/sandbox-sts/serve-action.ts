import { assumeRole, assumeRoleWithWebIdentity, type RoleDesk } from './assume-role.ts';
import { type Caller, callerOfSession, callerOfUser, type SandboxUser } from './caller.ts';
import { knowOnly } from './parameters.ts';
import { parametersOf } from './read-request.ts';
import { StsError } from './sts-error.ts';
import { type AccessKey, type SignedRequest, verifySignature } from './verify-signature.ts';
import { type Answer, success } from './xml.ts';

export type ActionDesk = RoleDesk & { readonly users: ReadonlyMap<string, SandboxUser> };

/** Serves one request, or throws an StsError. */
export async function serveAction(action: string, request: SignedRequest, desk: ActionDesk): Promise<Answer> {
  const form = parametersOf(request);
  switch (action) {
    case 'AssumeRole':
      return success(action, assumeRole(form, authenticate(request, desk), desk));
    case 'AssumeRoleWithWebIdentity':
      return success(action, await assumeRoleWithWebIdentity(form, desk));
    case 'GetCallerIdentity': {
      const { arn, userId, account } = authenticate(request, desk);
      knowOnly([...form.keys()], []);
      return success(action, { Arn: arn, UserId: userId, Account: account });
    }
    default:
      throw new StsError(400, 'InvalidAction', `Could not find operation ${action} for version 2011-06-15`);
  }
}

function authenticate(request: SignedRequest, { users, sessions, now }: ActionDesk): Caller {
  const find = (accessKeyId: string): AccessKey | undefined => {
    const user = users.get(accessKeyId);
    if (user) return { secretAccessKey: user.secretAccessKey, temporary: null };
    const session = sessions.find(accessKeyId);
    return session && { secretAccessKey: session.secretAccessKey, temporary: session };
  };
  const accessKeyId = verifySignature(request, find, now());
  const [user, session] = [users.get(accessKeyId), sessions.find(accessKeyId)];
  if (user) return callerOfUser(user);
  if (session) return callerOfSession(session);
  throw new Error('the key that signed the request is gone');
}
