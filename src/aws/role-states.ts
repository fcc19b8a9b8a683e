import type { CredentialPlan, RolePlan, WebIdentityPlan } from './credential-plan.ts';
import { NOT_ASKED_YET } from './role-sessions.ts';

/**
 * How it stands with every role by its ARN, those on the way to another among them. Of a role that is asked for in
 * several regions, the region in trouble is told.
 */
export function roleStates(
  plans: readonly CredentialPlan[],
  stateOf: (plan: RolePlan | WebIdentityPlan) => string,
): Readonly<Record<string, string>> {
  const states = new Map<string, string>();
  for (const plan of plans.flatMap(rolesOf)) {
    const known = states.get(plan.arn) ?? NOT_ASKED_YET;
    const state = stateOf(plan);
    const tells = known === NOT_ASKED_YET || (known === 'ok' && state !== NOT_ASKED_YET);
    states.set(plan.arn, tells ? state : known);
  }
  return Object.fromEntries(states);
}

/** Itself and those by whose way it is assumed. */
function rolesOf(plan: CredentialPlan): (RolePlan | WebIdentityPlan)[] {
  if (plan.kind === 'own') return [];
  if (plan.kind === 'webIdentity' || plan.via === null) return [plan];
  return [plan, ...rolesOf(plan.via)];
}
