import { checkRepeats } from './check-repeats.ts';
import type { FoundSoFar } from './check-callers.ts';
import { type ConfigPath, formatPath } from './config-problem.ts';
import { nearest, suggest } from './nearest.ts';
import type { DenyConfig as Deny, Parts } from './parts.ts';
import { claimOfUser } from './policy-values.ts';

type Databases = NonNullable<Parts['databases']>;
type Grants = NonNullable<Parts['grants']>;

/** Comparisons of names that a warning is worth; with more users nobody is warned of a slip in one. */
const MOST_COMPARISONS = 50_000;

/**
 * Makes the check of one entry of `deny`: what it names must be there, or it would deny nothing. Its users need not be
 * allowed anywhere, because a deny may come first; one that is allowed nowhere but resembles one that is gets a warning.
 */
export function createDenyCheck(
  databases: Databases,
  grants: Grants,
): (path: ConfigPath, deny: Deny, found: FoundSoFar) => void {
  const names = Object.keys(databases);
  const everyEndpoint = new Set(Object.values(databases).flatMap((one) => Object.keys(one?.endpoints ?? {})));
  const endpointsAreKnown = Object.values(databases).every((one) => one !== null);
  const slips = new Map<string, string | null>();
  let allowed: ReadonlySet<string> | undefined;
  let comparisons = 0;

  /** The user that was probably meant; null where this one may be. */
  function meant(user: string): string | null {
    allowed ??= usersOf(grants);
    if (allowed.has(user)) return null;
    const known = slips.get(user);
    if (known !== undefined) return known;
    comparisons += allowed.size;
    const near = comparisons > MOST_COMPARISONS ? null : (nearest(user, [...allowed]) ?? null);
    slips.set(user, near);
    return near;
  }

  return (path, deny, { errors, warnings }) => {
    errors.push(...checkRepeats(path, deny));
    const { database, users = [], endpoints = [] } = deny;
    const isEvery = database === '*';
    if (!isEvery && !Object.hasOwn(databases, database)) {
      const message = `${formatPath(path)}.database names ${database}, which is no database.`;
      errors.push({ path: [...path, 'database'], message, mend: suggest(database, names, 'in databases') });
      return;
    }
    const written = isEvery ? null : databases[database];
    const known = isEvery ? everyEndpoint : new Set(Object.keys(written?.endpoints ?? {}));
    const isKnown = isEvery ? endpointsAreKnown : written !== null;
    for (const [index, name] of isKnown ? endpoints.entries() : []) {
      if (known.has(name)) continue;
      const place = [...path, 'endpoints', index];
      const message = `${formatPath(place)} names ${name}, which is no endpoint of ${isEvery ? 'any database' : database}.`;
      errors.push({ path: place, message, mend: suggest(name, [...known], 'in that database') });
    }
    for (const [index, user] of users.entries()) {
      const near = meant(user);
      if (near === null) continue;
      const place = [...path, 'users', index];
      const message = `${formatPath(place)} denies ${user}, whom no grant allows.`;
      warnings.push({ path: place, message, mend: `Did you mean ${near}?` });
    }
  };
}

/** Every user that a grant allows; none where claims name some, so that any may be. */
function usersOf(grants: Grants): ReadonlySet<string> {
  const users = grants.flatMap(({ allow }) => (allow ?? []).flatMap((item) => item?.users ?? []));
  return new Set(users.some((user) => claimOfUser(user) !== undefined) ? [] : users);
}
