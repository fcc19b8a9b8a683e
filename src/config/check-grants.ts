import type { DatabaseConfig } from '../config.ts';
import { usualEndpoint } from './catalog.ts';
import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';
import { duplicates } from './duplicates.ts';
import { suggest } from './nearest.ts';
import { type AllowConfig, knownIssuerNames, type Parts } from './parts.ts';

/** Checks what grants name: issuers, databases, endpoints and users. */
export function checkGrants({ issuers, databases, grants }: Parts): Findings {
  if (grants === null) return { errors: [], warnings: [] };
  if (grants.length === 0) {
    const mend = 'Add a grant for each caller that may connect.';
    const message = 'There is no grant: every request for a token is refused.';
    return { errors: [], warnings: [{ path: ['grants'], message, mend }] };
  }
  const knownIssuers = knownIssuerNames(issuers);
  const errors = duplicates(grants.map(({ name }) => name)).map(({ index, first, value }): Finding => {
    const message = `grants[${index}] has the name ${value}, and so has grants[${first}].`;
    return { path: ['grants', index, 'name'], message, mend: 'Give each grant its own name: audit records hold it.' };
  });
  const warnings: Finding[] = [];
  for (const [index, { issuer, subject, allow }] of grants.entries()) {
    const path: ConfigPath = ['grants', index];
    if (issuer !== null && knownIssuers?.has(issuer) === false) {
      const message = `grants[${index}].issuer names ${issuer}, which is no issuer.`;
      errors.push({ path: [...path, 'issuer'], message, mend: suggest(issuer, [...knownIssuers], 'in issuers') });
    }
    if (subject?.includes('*') === true) {
      const message = `grants[${index}].subject holds a *, which matches only itself here.`;
      warnings.push({ path: [...path, 'subject'], message, mend: 'Write subjectGlob if you mean a pattern.' });
    }
    for (const [position, item] of (allow ?? []).entries()) {
      if (item !== null && databases !== null)
        errors.push(...checkAllow([...path, 'allow', position], item, databases));
    }
  }
  return { errors, warnings };
}

type Allow = AllowConfig;

function checkAllow(path: ConfigPath, allow: Allow, databases: NonNullable<Parts['databases']>): Finding[] {
  const findings = [...checkRepeats(path, allow, 'users'), ...checkRepeats(path, allow, 'endpoints')];
  if (!Object.hasOwn(databases, allow.database)) {
    const message = `${formatPath(path)}.database names ${allow.database}, which is no database.`;
    const mend = suggest(allow.database, Object.keys(databases), 'in databases');
    return [...findings, { path: [...path, 'database'], message, mend }];
  }
  const database = databases[allow.database] ?? null;
  if (database === null) return findings;
  return [...findings, ...checkEndpoints(path, allow, database), ...checkUsers(path, allow, database.engine)];
}

function checkRepeats(path: ConfigPath, allow: Allow, key: 'users' | 'endpoints'): Finding[] {
  return duplicates(allow[key] ?? []).map(({ index, value }) => ({
    path: [...path, key, index],
    message: `${formatPath([...path, key])} lists ${value} twice.`,
    mend: 'Keep one of them.',
  }));
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
    const length = unit === 'bytes' ? Buffer.byteLength(user) : Array.from(user).length;
    if (length <= most) return [];
    const place = [...path, 'users', index];
    const message = `${formatPath(place)} has ${length} ${unit}; a user of ${engine} has at most ${most}.`;
    return [{ path: place, message, mend: "Write the user's name as the database has it." }];
  });
}
