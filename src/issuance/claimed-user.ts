import { type Caller, claimAt } from './caller.ts';
import type { Engine } from './database.ts';

/** A database user whose name a claim of the caller gives. */
export type ClaimedUser = {
  /** The claim's dotted path. */
  readonly claim: string;
  /** The name must begin with one of these, and go on after it. */
  readonly prefixes: readonly string[];
};

/**
 * What a claim may put into a database's, an IAM policy's and a URL's hands: no quotes, no stars, no slashes, no capitals
 * that another database would fold. Shorter than any plain name may be.
 */
const STRICT = /^[a-z_][a-z0-9_.-]*$/;

/** PostgreSQL cuts at 63 bytes, MySQL and MariaDB refuse more than 32 and 80 characters. */
const LONGEST: Readonly<Record<Engine, number>> = { postgres: 63, mysql: 32, mariadb: 80 };

/** The administrators that RDS and the engines come with: nobody becomes one by the name an IdP gives. */
const ADMINISTRATORS =
  /^(?:rdsadmin|rdsrepladmin|rdstopmgr|rds[_.].*|postgres|pg_.*|root|admin|administrator|mysql[._].*|mariadb[._].*)$/;

/** Whether a claim may never name this user. */
export function isAdministrator(name: string): boolean {
  return ADMINISTRATORS.test(name);
}

/** The user's name, or one phrase that says why the claim gives none. */
export function claimedUser(
  { claim, prefixes }: ClaimedUser,
  engine: Engine,
  caller: Caller,
): { name: string } | string {
  const value = claimAt(caller.claims, claim);
  if (value === undefined) return `there is no claim ${claim}, or it is ambiguous`;
  if (typeof value !== 'string') return `the claim ${claim} is not a text`;
  if (value.length > LONGEST[engine]) return `the claim ${claim} is longer than a user of ${engine}`;
  if (!STRICT.test(value)) return `the claim ${claim} has other characters than a-z, 0-9, '_', '.' and '-'`;
  if (!prefixes.some((prefix) => value.startsWith(prefix) && value.length > prefix.length)) {
    return `the claim ${claim} begins with none of ${prefixes.join(', ')}`;
  }
  if (isAdministrator(value)) return `the claim ${claim} names an administrator`;
  return { name: value };
}
