import type { Caller } from './caller.ts';
import { type CallerConditions, compileCallerConditions } from './caller-conditions.ts';
import type { Database, Endpoint } from './database.ts';

/** One grant as the configuration writes it, with every reference checked. */
export type GrantRule = CallerConditions & {
  readonly name: string;
  readonly allow: readonly {
    readonly database: string;
    readonly users: readonly string[];
    readonly endpoints: readonly string[];
  }[];
};

/** What a grant allows on one database. */
export type Allowance = {
  readonly database: Database;
  readonly users: ReadonlySet<string>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
};

/** A compiled grant. */
export type Grant = { readonly name: string; readonly allowances: readonly Allowance[] };

/** The grants that match a caller, in the order the configuration lists them. */
export type Grants = { matching(caller: Caller): readonly Grant[] };

type Candidate = Grant & { readonly position: number; readonly admits: (caller: Caller) => boolean };

/**
 * Compiles grants once, at start. Grants with an exact subject are found by look-up, so that their number does not slow
 * a request; globs and claim-only grants of the caller's issuer are tried one by one.
 *
 * @throws {Error} for a reference that does not resolve. The configuration check reports those with their place; this
 *   is the arm behind it that still refuses.
 */
export function compileGrants(rules: readonly GrantRule[], catalog: ReadonlyMap<string, Database>): Grants {
  const byIssuer = new Map<string, { exact: Map<string, Candidate[]>; others: Candidate[] }>();
  rules.forEach((rule, position) => {
    const ofIssuer = byIssuer.get(rule.issuer) ?? { exact: new Map<string, Candidate[]>(), others: [] };
    byIssuer.set(rule.issuer, ofIssuer);
    const candidate = {
      position,
      name: rule.name,
      admits: compileCallerConditions(rule, `grant ${rule.name}`),
      allowances: compileAllow(rule, catalog),
    };
    const ofSubject = rule.subject === undefined ? ofIssuer.others : (ofIssuer.exact.get(rule.subject) ?? []);
    ofSubject.push(candidate);
    if (rule.subject !== undefined) ofIssuer.exact.set(rule.subject, ofSubject);
  });
  return {
    matching(caller) {
      const ofIssuer = byIssuer.get(caller.issuer);
      if (ofIssuer === undefined) return [];
      const candidates = [...(ofIssuer.exact.get(caller.subject) ?? []), ...ofIssuer.others];
      return candidates.filter((candidate) => candidate.admits(caller)).sort((a, b) => a.position - b.position);
    },
  };
}

function compileAllow(rule: GrantRule, catalog: ReadonlyMap<string, Database>): Allowance[] {
  return rule.allow.map(({ database: name, users, endpoints: names }) => {
    const database = catalog.get(name);
    if (database === undefined) throw new Error(`grant ${rule.name} names the unknown database ${name}`);
    const endpoints = new Map<string, Endpoint>();
    for (const endpointName of names) {
      const endpoint = database.endpoints.get(endpointName);
      if (endpoint === undefined) throw new Error(`grant ${rule.name} names the unknown endpoint ${endpointName}`);
      endpoints.set(endpointName, endpoint);
    }
    return { database, users: new Set(users), endpoints };
  });
}
