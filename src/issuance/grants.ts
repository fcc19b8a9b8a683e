import type { Caller } from './caller.ts';
import {
  type CallerCondition,
  type CallerConditions,
  compileCallerConditions,
  verdictOf,
} from './caller-conditions.ts';
import type { Circumstances } from './circumstances.ts';
import { type ClaimedUser, claimedUser } from './claimed-user.ts';
import type { Database, Endpoint } from './database.ts';
import { createGrantIndex } from './grant-index.ts';

/** One grant as the configuration writes it, with every reference checked. It has either `allow` or `deny`. */
export type GrantRule = CallerConditions & {
  readonly name: string;
  /** `observe`: evaluated and recorded, but it decides nothing. */
  readonly mode?: 'enforce' | 'observe' | undefined;
  /** From this instant on, milliseconds since the epoch. */
  readonly notBefore?: number | undefined;
  /** Before this instant. */
  readonly notAfter?: number | undefined;
  /** Of all its callers together. */
  readonly maxTokensPerMinute?: number | undefined;
  readonly allow?: readonly AllowRule[] | undefined;
  readonly deny?: readonly DenyRule[] | undefined;
};

export type AllowRule = {
  readonly database: string;
  readonly users: readonly string[];
  readonly claimedUsers?: readonly ClaimedUser[] | undefined;
  readonly endpoints: readonly string[];
};

/** What is left out is everything: of users, and of endpoints. */
export type DenyRule = {
  /** A name of the catalog, or `*`. */
  readonly database: string;
  readonly users?: readonly string[] | undefined;
  readonly endpoints?: readonly string[] | undefined;
};

/** What a grant allows on one database. */
export type Allowance = {
  readonly database: Database;
  /** The users by name, and those that claims of this caller name. */
  users(caller: Caller): ReadonlySet<string>;
  readonly claimedUsers: readonly ClaimedUser[];
  readonly endpoints: ReadonlyMap<string, Endpoint>;
};

/** What a grant denies: null is everything. */
export type Denial = {
  readonly database: string | null;
  readonly users: ReadonlySet<string> | null;
  readonly endpoints: ReadonlySet<string> | null;
};

/** A compiled grant. Of its two lists one is empty. */
export type Grant = {
  readonly name: string;
  readonly enforced: boolean;
  readonly maxTokensPerMinute: number | null;
  readonly allowances: readonly Allowance[];
  readonly denials: readonly Denial[];
  readonly conditions: readonly CallerCondition[];
};

export type Grants = {
  /**
   * The grants that apply to a caller, in the order the configuration lists them, those that only observe included. One
   * that allows applies when all of its conditions hold, one that denies unless one of them fails.
   */
  matching(caller: Caller, circumstances: Circumstances): readonly Grant[];
  /** Every grant, in the order of the configuration. */
  readonly all: readonly Grant[];
};

/**
 * Compiles grants once, at start. Grants with an exact subject are found by look-up, so that their number does not slow
 * a request; globs and claim-only grants of the caller's issuer are tried one by one.
 *
 * @throws {Error} for a reference that does not resolve. The configuration check reports those with their place; this
 *   is the arm behind it that still refuses.
 */
export function compileGrants(rules: readonly GrantRule[], catalog: ReadonlyMap<string, Database>): Grants {
  const all = rules.map((rule) => compileGrant(rule, catalog));
  const index = createGrantIndex(rules);
  return {
    all,
    matching(caller, circumstances) {
      const found: Grant[] = [];
      for (const position of index.candidates(caller)) {
        const grant = all[position];
        if (grant && applies(grant, caller, circumstances)) found.push(grant);
      }
      return found;
    },
  };
}

/** Whether a grant concerns the caller now. What denies does so in doubt too. */
export function applies({ conditions, denials }: Grant, caller: Caller, circumstances: Circumstances): boolean {
  const verdict = verdictOf(conditions, caller, circumstances);
  return verdict === 'holds' || (verdict === 'undecidable' && denials.length > 0);
}

function compileGrant(rule: GrantRule, catalog: ReadonlyMap<string, Database>): Grant {
  const { name, mode = 'enforce', maxTokensPerMinute = null, allow = [], deny = [] } = rule;
  if ((allow.length === 0) === (deny.length === 0)) throw new Error(`grant ${name} names nothing that it is for`);
  return {
    name,
    enforced: mode === 'enforce',
    maxTokensPerMinute,
    allowances: allow.map((item) => compileAllow(name, item, catalog)),
    denials: deny.map((item) => compileDeny(name, item, catalog)),
    conditions: [...compileCallerConditions(rule, `grant ${name}`), ...timeConditions(rule)],
  };
}

function timeConditions({ notBefore, notAfter }: GrantRule): CallerCondition[] {
  const conditions: CallerCondition[] = [];
  const given: CallerCondition['given'] = (_, { now }) => new Date(now).toISOString();
  if (notBefore !== undefined) {
    const text = `notBefore: ${new Date(notBefore).toISOString()}`;
    conditions.push({ text, given, verdict: (_, { now }) => (now >= notBefore ? 'holds' : 'fails') });
  }
  if (notAfter !== undefined) {
    const text = `notAfter: ${new Date(notAfter).toISOString()}`;
    conditions.push({ text, given, verdict: (_, { now }) => (now < notAfter ? 'holds' : 'fails') });
  }
  return conditions;
}

function compileAllow(grant: string, rule: AllowRule, catalog: ReadonlyMap<string, Database>): Allowance {
  const database = catalog.get(rule.database);
  if (database === undefined) throw new Error(`grant ${grant} names the unknown database ${rule.database}`);
  const endpoints = new Map<string, Endpoint>();
  for (const endpointName of rule.endpoints) {
    const endpoint = database.endpoints.get(endpointName);
    if (endpoint === undefined) throw new Error(`grant ${grant} names the unknown endpoint ${endpointName}`);
    endpoints.set(endpointName, endpoint);
  }
  const named: ReadonlySet<string> = new Set(rule.users);
  const { claimedUsers = [] } = rule;
  return {
    database,
    endpoints,
    claimedUsers,
    users(caller) {
      if (claimedUsers.length === 0) return named;
      const claimed = claimedUsers.map((user) => claimedUser(user, database.engine, caller));
      return new Set([...named, ...claimed.flatMap((user) => (typeof user === 'string' ? [] : [user.name]))]);
    },
  };
}

function compileDeny(grant: string, rule: DenyRule, catalog: ReadonlyMap<string, Database>): Denial {
  const database = rule.database === '*' ? null : rule.database;
  if (database !== null && !catalog.has(database)) {
    throw new Error(`grant ${grant} names the unknown database ${database}`);
  }
  const known = database === null ? [...catalog.values()] : [catalog.get(database)];
  for (const name of rule.endpoints ?? []) {
    if (!known.some((one) => one?.endpoints.has(name)))
      throw new Error(`grant ${grant} names the unknown endpoint ${name}`);
  }
  return {
    database,
    users: rule.users === undefined ? null : new Set(rule.users),
    endpoints: rule.endpoints === undefined ? null : new Set(rule.endpoints),
  };
}
