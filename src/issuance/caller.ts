import type { Workload } from './workload.ts';

/** A JSON value as `JSON.parse` returns it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** All claims of a verified JWT, as decoded. */
export type Claims = { readonly [name: string]: JsonValue };

/** A claim on record: short texts, numbers and booleans, and lists of them. */
export type KeptClaim = string | number | boolean | readonly (string | number | boolean)[];
export type KeptClaims = { readonly [path: string]: KeptClaim };

/** The verified identity of a request. Only the jwt adapter makes one, and only from a JWT that passed every check. */
export type Caller = {
  /** The issuer's name in the configuration, not its URL. */
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Claims;
  /** The service account of a Kubernetes issuer's token; null for other issuers. */
  readonly workload: Workload | null;
  /** The claims that audit records keep, by their path; null where none is kept or there. */
  readonly keptClaims: KeptClaims | null;
  /** The JWT's own expiry, in milliseconds since the epoch. */
  readonly expiresAt: number;
};

/**
 * The values a dotted path names in the claims. A claim's own name may contain dots (`kubernetes.io`), so every way to
 * split the path is tried; a path that resolves in two ways is ambiguous and names nothing.
 */
export function claimAt(claims: Claims, path: string): JsonValue | undefined {
  const found = claimReadings(claims, path);
  return found.length === 1 ? found[0] : undefined;
}

/** What a dotted path may mean in the claims: nothing, one value, or several, which is ambiguous. */
export function claimReadings(claims: Claims, path: string): readonly JsonValue[] {
  return valuesAt(claims, path.split('.'));
}

function valuesAt(value: JsonValue | Claims, parts: readonly string[]): JsonValue[] {
  if (parts.length === 0) return [value];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  const members: Claims = value;
  const found: JsonValue[] = [];
  for (let length = 1; length <= parts.length; length++) {
    const name = parts.slice(0, length).join('.');
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    if (member !== undefined) found.push(...valuesAt(member, parts.slice(length)));
  }
  return found;
}
