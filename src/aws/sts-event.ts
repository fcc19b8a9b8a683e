import type { Clock } from './clock.ts';
import type { RolePlan, WebIdentityPlan } from './credential-plan.ts';
import type { RoleSession } from './sts-calls.ts';
import { asStsError, type StsError, type StsFailure } from './sts-failure.ts';

/** One call to STS and what came of it. Nothing of it is secret. */
export type StsEvent = {
  readonly operation: 'AssumeRole' | 'AssumeRoleWithWebIdentity';
  readonly role: string;
  readonly result: 'success' | StsFailure;
  readonly milliseconds: number;
  readonly session: RoleSession | null;
  readonly error: StsError | null;
};

export type OnStsCall = (event: StsEvent) => void;

/** Tells of a call, however it ends. */
export async function observed(
  { kind, arn: role }: RolePlan | WebIdentityPlan,
  { monotonic }: Clock,
  onCall: OnStsCall,
  call: () => Promise<RoleSession>,
): Promise<RoleSession> {
  const begun = monotonic();
  const operation = kind === 'role' ? 'AssumeRole' : 'AssumeRoleWithWebIdentity';
  try {
    const session = await call();
    const milliseconds = monotonic() - begun;
    onCall({ operation, role, result: 'success', milliseconds, session, error: null });
    return session;
  } catch (thrown) {
    const error = asStsError(thrown);
    const milliseconds = monotonic() - begun;
    onCall({ operation, role, result: error.failure, milliseconds, session: null, error });
    throw error;
  }
}
