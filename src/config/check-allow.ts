import type { DatabaseConfig } from '../config.ts';
import { isAdministrator } from '../issuance/claimed-user.ts';
import { usualEndpoint } from './catalog.ts';
import { checkRepeats } from './check-repeats.ts';
import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import { suggest } from './nearest.ts';
import type { AllowConfig as Allow, Parts } from './parts.ts';
import { claimOfUser } from './policy-values.ts';

/** Checks one entry of `allow`: its database, endpoints and users, and where a claim names users, their prefixes. */
export function checkAllow(path: ConfigPath, allow: Allow, databases: NonNullable<Parts['databases']>): Finding[] {
  const findings = [...checkRepeats(path, allow), ...checkPrefixes(path, allow)];
  if (!Object.hasOwn(databases, allow.database)) {
    const message = `${formatPath(path)}.database names ${allow.database}, which is no database.`;
    const mend = suggest(allow.database, Object.keys(databases), 'in databases');
    return [...findings, { path: [...path, 'database'], message, mend }];
  }
  const database = databases[allow.database] ?? null;
  if (database === null) return findings;
  return [...findings, ...checkEndpoints(path, allow, database), ...checkUsers(path, allow, database.engine)];
}

function checkEndpoints(path: ConfigPath, allow: Allow, database: DatabaseConfig): Finding[] {
  const known = Object.keys(database.endpoints);
  if (allow.endpoints === undefined) {
    if (usualEndpoint(known) !== undefined) return [];
    const message = `${formatPath(path)} names no endpoint, and ${allow.database} has several but none called writer.`;
    return [{ path, message, mend: `Write endpoints with some of: ${known.join(', ')}.` }];
  }
  return allow.endpoints.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const place = [...path, 'endpoints', index];
    const message = `${formatPath(place)} names ${name}, which is no endpoint of ${allow.database}.`;
    return [{ path: place, message, mend: suggest(name, known, 'in that database') }];
  });
}

/** Longer names cannot exist: PostgreSQL cuts at 63 bytes, MySQL and MariaDB refuse more than 32 and 80 characters. */
const LONGEST_USER = {
  postgres: { most: 63, unit: 'bytes' },
  mysql: { most: 32, unit: 'characters' },
  mariadb: { most: 80, unit: 'characters' },
};

function checkUsers(path: ConfigPath, { users }: Allow, engine: DatabaseConfig['engine']): Finding[] {
  const { most, unit } = LONGEST_USER[engine];
  return users.flatMap((user, index) => {
    if (claimOfUser(user) !== undefined) return [];
    const length = unit === 'bytes' ? Buffer.byteLength(user) : Array.from(user).length;
    if (length <= most) return [];
    const place = [...path, 'users', index];
    const message = `${formatPath(place)} has ${length} ${unit}; a user of ${engine} has at most ${most}.`;
    return [{ path: place, message, mend: "Write the user's name as the database has it." }];
  });
}

/** Prefixes are for users that a claim names; those of the administrators would let through nobody, or them. */
function checkPrefixes(path: ConfigPath, { users, userPrefixes }: Allow): Finding[] {
  if (userPrefixes === undefined) return [];
  if (users.every((user) => claimOfUser(user) === undefined)) {
    const place = [...path, 'userPrefixes'];
    const message = `${formatPath(place)} limits nothing: no user here comes from a claim.`;
    return [{ path: place, message, mend: 'Remove it, or write {claims.PATH} as a user.' }];
  }
  return userPrefixes.flatMap((prefix, index) => {
    if (!isAdministrator(prefix) && !isAdministrator(`${prefix}_`)) return [];
    const place = [...path, 'userPrefixes', index];
    const message = `${formatPath(place)} is ${prefix}, and so begin the names of administrators.`;
    return [{ path: place, message, mend: 'Write a prefix of your own, as in dev_.' }];
  });
}
