import { claimAt, type Claims, type JsonValue, type KeptClaim, type KeptClaims } from './caller.ts';

/** A record holds whole names and short lists, not documents. */
const MAX_CHARACTERS = 256;
const MAX_ITEMS = 32;

/** Picks the claims at `paths` for the record, cut to size; maps and nulls are left out. */
export function keepClaimsAt(claims: Claims, paths: readonly string[]): KeptClaims | null {
  if (paths.length === 0) return null;
  const kept = paths.flatMap((path): [string, KeptClaim][] => {
    const value = claimAt(claims, path);
    if (isScalar(value)) return [[path, cut(value)]];
    if (!Array.isArray(value)) return [];
    return [[path, value.filter(isScalar).slice(0, MAX_ITEMS).map(cut)]];
  });
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function cut<T extends string | number | boolean>(value: T): T | string {
  return typeof value === 'string' ? value.slice(0, MAX_CHARACTERS) : value;
}
