import type { Caller } from './caller.ts';
import type { Circumstances } from './circumstances.ts';
import type { Database, Endpoint } from './database.ts';
import type { Denial, Grant, Grants } from './grants.ts';
import { accept, type Choice, type Decided, refuse } from './refusal.ts';

/** The endpoint meant when a request names none and several are allowed. */
export const DEFAULT_ENDPOINT = 'writer';

/** What a caller asks to be. Fields left out are filled where its grants leave one choice. */
export type WantedIdentity = {
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly endpoint?: string | undefined;
};

/** One database user at one endpoint that a grant allows. */
export type Permission = {
  readonly database: Database;
  readonly endpoint: Endpoint;
  readonly user: string;
  /** The name of the first grant, in configuration order, that allows it. */
  readonly grant: string;
  /** Tokens a minute that this grant gives; null is no limit of its own. */
  readonly maxTokensPerMinute: number | null;
};

/** What was decided, with the names of the grants in mode `observe` that it concerned. */
export type Authorization = { readonly decided: Decided<Permission>; readonly observed: readonly string[] };

/** What the caller may be, each identity once, under the first grant that allows it. What any grant denies is not there. */
export function permissionsOf(
  caller: Caller,
  grants: Grants,
  circumstances: Circumstances,
  wanted: WantedIdentity = {},
): readonly Permission[] {
  return rights(caller, grants.matching(caller, circumstances), wanted).permissions;
}

/**
 * Decides whether the caller may be whom it asks to be. Default deny: unknown database, unknown user, denied and not
 * granted are one and the same refusal. Several choices left are a refusal that lists them; they are all the caller's own.
 */
export function authorize(
  caller: Caller,
  wanted: WantedIdentity,
  grants: Grants,
  circumstances: Circumstances,
): Authorization {
  const matching = grants.matching(caller, circumstances);
  const { permissions, deniedBy } = rights(caller, matching, wanted);
  const decided = choose(permissions, deniedBy, wanted);
  const concerned = decided.ok ? identityOf(decided.value) : wanted;
  const observed = matching.filter((grant) => !grant.enforced && concerns(grant, caller, concerned));
  return { decided, observed: observed.map(({ name }) => name) };
}

type Rights = {
  readonly permissions: readonly Permission[];
  /** The first grant that took one of them away; null when none did. */
  readonly deniedBy: string | null;
};

function rights(caller: Caller, matching: readonly Grant[], wanted: WantedIdentity): Rights {
  const enforced = matching.filter((grant) => grant.enforced);
  const denying = enforced.filter(({ denials }) => denials.length > 0);
  const permissions = new Map<string, Permission>();
  let deniedBy: string | null = null;
  for (const { name: grant, allowances, maxTokensPerMinute } of enforced) {
    for (const allowance of allowances) {
      for (const [user, endpoint] of chosenOf(allowance, caller, wanted)) {
        const { database } = allowance;
        const key = JSON.stringify([database.name, user, endpoint.name]);
        if (permissions.has(key)) continue;
        const identity = { database: database.name, user, endpoint: endpoint.name };
        const denial = denying.find(({ denials }) => denials.some((one) => covers(one, identity)));
        if (denial === undefined) permissions.set(key, { database, endpoint, user, grant, maxTokensPerMinute });
        else deniedBy ??= denial.name;
      }
    }
  }
  return { permissions: [...permissions.values()], deniedBy };
}

/** The users and endpoints of an allowance that are wanted. */
function* chosenOf(
  { database, users: usersOf, endpoints }: Grant['allowances'][number],
  caller: Caller,
  wanted: WantedIdentity,
): Generator<[user: string, endpoint: Endpoint]> {
  if (wanted.database !== undefined && wanted.database !== database.name) return;
  for (const user of chosen(usersOf(caller), wanted.user)) {
    for (const name of chosen(endpoints, wanted.endpoint)) {
      const endpoint = endpoints.get(name);
      if (endpoint) yield [user, endpoint];
    }
  }
}

/** Narrowed by look-up, so that a complete request costs the same however much a grant allows. */
function chosen(
  names: { has(name: string): boolean; keys(): Iterable<string> },
  wanted: string | undefined,
): Iterable<string> {
  if (wanted === undefined) return names.keys();
  return names.has(wanted) ? [wanted] : [];
}

/** Whether a denial is about an identity; what is not said of either is anything. */
function covers({ database, users, endpoints }: Denial, wanted: WantedIdentity): boolean {
  return (
    (database === null || wanted.database === undefined || database === wanted.database) &&
    (users === null || wanted.user === undefined || users.has(wanted.user)) &&
    (endpoints === null || wanted.endpoint === undefined || endpoints.has(wanted.endpoint))
  );
}

/** Whether a grant allows or denies something of what is wanted. */
export function concerns({ allowances, denials }: Grant, caller: Caller, wanted: WantedIdentity): boolean {
  if (denials.some((denial) => covers(denial, wanted))) return true;
  return allowances.some((allowance) => chosenOf(allowance, caller, wanted).next().done === false);
}

function choose(
  permissions: readonly Permission[],
  deniedBy: string | null,
  wanted: WantedIdentity,
): Decided<Permission> {
  const [first] = permissions;
  if (first === undefined) {
    return deniedBy === null
      ? refuse({ reason: 'not_granted', detail: `no grant allows ${describe(wanted)}` })
      : refuse({ reason: 'not_granted', detail: `grant ${deniedBy} denies ${describe(wanted)}`, grant: deniedBy });
  }
  if (permissions.length === 1) return accept(first);
  const sameUser = permissions.every(({ database, user }) => database === first.database && user === first.user);
  const byDefault = permissions.find(({ endpoint }) => endpoint.name === DEFAULT_ENDPOINT);
  if (sameUser && byDefault) return accept(byDefault);
  const detail = `${permissions.length} choices are left for ${describe(wanted)}`;
  return refuse({ reason: 'choice_ambiguous', detail, choices: permissions.map(asChoice) });
}

function identityOf({ database, user, endpoint }: Permission): Required<WantedIdentity> {
  return { database: database.name, user, endpoint: endpoint.name };
}

function asChoice({ database, user, endpoint }: Permission): Choice {
  return { database: database.name, user, endpoint: endpoint.name };
}

function describe({ database, user, endpoint }: WantedIdentity): string {
  return JSON.stringify({ database, user, endpoint });
}
