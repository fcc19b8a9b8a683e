import type { CredentialsRequest } from '../issuance/auth-token.ts';
import type { Caller } from '../issuance/caller.ts';
import type { Database } from '../issuance/database.ts';
import type { GrantRule } from '../issuance/grants.ts';
import type { CredentialPlan, RolePlan } from './credential-plan.ts';

/** A session that is asked for before anybody needs it. */
export type WarmSession = { readonly plan: RolePlan; readonly wanted: CredentialsRequest };

/** No session that is kept warm names a caller. */
const NOBODY: Caller = { issuer: '', subject: '', claims: {}, workload: null, keptClaims: null, expiresAt: 0 };

/**
 * The sessions of the databases in `warm`: the one of a shared role, and with `perUser` one for each user that a grant
 * names. Users that come from a claim begin with their caller.
 */
export function warmSessions(
  warm: ReadonlySet<string>,
  catalog: ReadonlyMap<string, Database>,
  plans: ReadonlyMap<string, CredentialPlan>,
  grants: readonly GrantRule[],
): WarmSession[] {
  return [...warm].flatMap((name) => {
    const database = catalog.get(name);
    const plan = plans.get(name);
    if (database === undefined || plan?.kind !== 'role') return [];
    const users = plan.scope === 'shared' ? [''] : usersOf(name, grants);
    const wanted = { database, caller: NOBODY, jwt: '', auditId: '', minLifeMs: 0 };
    return users.map((user) => ({ plan, wanted: { ...wanted, user } }));
  });
}

function usersOf(database: string, grants: readonly GrantRule[]): string[] {
  const named = grants.flatMap(({ mode, allow = [] }) => (mode === 'observe' ? [] : allow));
  const users = named.filter((item) => item.database === database).flatMap((item) => item.users);
  return [...new Set(users.filter((user) => typeof user === 'string'))];
}
