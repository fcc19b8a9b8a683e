import type { Caller } from './caller.ts';
import type { Database, Endpoint } from './database.ts';
import type { Grants } from './grants.ts';
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
};

/** Everything the caller may be, each identity once, under the first grant that allows it. */
export function permissionsOf(caller: Caller, grants: Grants, wanted: WantedIdentity = {}): readonly Permission[] {
  const permissions = new Map<string, Permission>();
  for (const grant of grants.matching(caller)) {
    for (const { database, users, endpoints } of grant.allowances) {
      if (wanted.database !== undefined && wanted.database !== database.name) continue;
      for (const user of chosen(users, wanted.user)) {
        for (const name of chosen(endpoints, wanted.endpoint)) {
          const endpoint = endpoints.get(name);
          const key = JSON.stringify([database.name, user, name]);
          if (endpoint && !permissions.has(key)) permissions.set(key, { database, endpoint, user, grant: grant.name });
        }
      }
    }
  }
  return [...permissions.values()];
}

/** Narrowed by look-up, so that a complete request costs the same however much a grant allows. */
function chosen(
  names: { has(name: string): boolean; keys(): Iterable<string> },
  wanted: string | undefined,
): Iterable<string> {
  if (wanted === undefined) return names.keys();
  return names.has(wanted) ? [wanted] : [];
}

/**
 * Decides whether the caller may be whom it asks to be. Default deny: unknown database, unknown user and not granted
 * are one and the same refusal. Several choices left are a refusal that lists them; they are all the caller's own.
 */
export function authorize(caller: Caller, wanted: WantedIdentity, grants: Grants): Decided<Permission> {
  const permissions = permissionsOf(caller, grants, wanted);
  const [first] = permissions;
  if (first === undefined) {
    return refuse({ reason: 'not_granted', detail: `no grant allows ${describe(wanted)}` });
  }
  if (permissions.length === 1) return accept(first);
  const sameUser = permissions.every(({ database, user }) => database === first.database && user === first.user);
  const byDefault = permissions.find(({ endpoint }) => endpoint.name === DEFAULT_ENDPOINT);
  if (sameUser && byDefault) return accept(byDefault);
  const detail = `${permissions.length} choices are left for ${describe(wanted)}`;
  return refuse({ reason: 'choice_ambiguous', detail, choices: permissions.map(asChoice) });
}

function asChoice({ database, user, endpoint }: Permission): Choice {
  return { database: database.name, user, endpoint: endpoint.name };
}

function describe({ database, user, endpoint }: WantedIdentity): string {
  return JSON.stringify({ database, user, endpoint });
}
