import { mustParseArn } from './arn.ts';
import { type SandboxSession, uniqueId } from './session.ts';

export type SandboxUser = { readonly secretAccessKey: string; readonly arn: string };

/** Who signed a request: a user with long-lived keys, or a role's session. */
export type Caller = {
  readonly arn: string;
  readonly account: string;
  readonly userId: string;
  readonly session: SandboxSession | null;
};

export function callerOfUser({ arn }: SandboxUser): Caller {
  const { account, resource } = mustParseArn(arn);
  return { arn, account, userId: resource === 'root' ? account : uniqueId('AIDA', arn), session: null };
}

export function callerOfSession(session: SandboxSession): Caller {
  const { account } = mustParseArn(session.roleArn);
  const userId = `${uniqueId('AROA', session.roleArn)}:${session.sessionName}`;
  return { arn: session.assumedRoleArn, account, userId, session };
}

/** Everything that a trust policy's `Principal: {AWS: …}` may call the caller. */
export function principalNames({ arn, account, session }: Caller): readonly string[] {
  const { partition } = mustParseArn(arn);
  const names = ['*', account, `arn:${partition}:iam::${account}:root`, arn];
  return session ? [...names, session.roleArn] : names;
}
