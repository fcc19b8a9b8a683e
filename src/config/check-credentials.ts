import type { DatabaseConfig } from '../config.ts';
import { partitionOf } from '../issuance/database.ts';
import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';
import { suggest } from './nearest.ts';
import { knownIssuerNames, type Parts } from './parts.ts';

/** Checks that the roles of each database fit it, and that every grant of a database is of an issuer its role takes. */
export function checkCredentials(parts: Parts): Findings {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [name, database] of Object.entries(parts.databases ?? {})) {
    if (database === null) continue;
    const path = ['databases', name];
    for (const [place, arn] of rolesOf(path, database)) errors.push(...checkPartition(place, arn, database.region));
    errors.push(...checkStsRegion(path, database));
    warnings.push(...warnOfAccount(path, database), ...warnOfDuration(path, database));
    errors.push(...checkIssuers(path, database, parts.issuers));
    warnings.push(...warnOfIssuers(path, database, parts.issuers));
  }
  errors.push(...checkGrantIssuers(parts));
  return { errors, warnings };
}

function rolesOf(path: ConfigPath, { role, webIdentity }: DatabaseConfig): [ConfigPath, string][] {
  const via = role?.via ?? [];
  return [
    ...(role === undefined ? [] : [[[...path, 'role', 'arn'], role.arn] as [ConfigPath, string]]),
    ...via.map(({ arn }, index): [ConfigPath, string] => [[...path, 'role', 'via', index, 'arn'], arn]),
    ...(webIdentity === undefined ? [] : [[[...path, 'webIdentity', 'arn'], webIdentity.arn] as [ConfigPath, string]]),
  ];
}

function checkPartition(path: ConfigPath, arn: string, region: string): Finding[] {
  const partition = partitionOf(region);
  if (arn.split(':')[1] === partition) return [];
  const message = `${formatPath(path)} is of another partition than the database in ${region}.`;
  return [{ path, message, mend: `Write a role whose ARN begins with arn:${partition}:.` }];
}

/** Keys of one partition are unknown in another. */
function checkStsRegion(path: ConfigPath, { role, webIdentity, region }: DatabaseConfig): Finding[] {
  const [key, stsRegion] = role === undefined ? ['webIdentity', webIdentity?.stsRegion] : ['role', role.stsRegion];
  if (stsRegion === undefined || partitionOf(stsRegion) === partitionOf(region)) return [];
  const place = [...path, key, 'stsRegion'];
  const message = `${formatPath(place)} is ${stsRegion}, of another partition than the database in ${region}.`;
  return [{ path: place, message, mend: 'Write a region of the same partition, or leave the key out.' }];
}

/** RDS has no resource policies, so a role of another account has no way to be allowed. */
function warnOfAccount(path: ConfigPath, { role, webIdentity, accountId }: DatabaseConfig): Finding[] {
  const [key, arn] = role === undefined ? ['webIdentity', webIdentity?.arn] : ['role', role.arn];
  if (arn === undefined || arn.split(':')[4] === accountId) return [];
  const place = [...path, key, 'arn'];
  const message = `${formatPath(place)} is of another account than the database (${accountId}).`;
  return [{ path: place, message, mend: "Write a role of the database's account: rds-db:connect reaches no other." }];
}

const HOUR_MS = 3_600_000;

function warnOfDuration(path: ConfigPath, { role }: DatabaseConfig): Finding[] {
  if (role === undefined || role.sessionDuration <= HOUR_MS) return [];
  const place = [...path, 'role', 'sessionDuration'];
  const message = `${formatPath(place)} is more than 1h, which AWS allows only where no role assumes the role.`;
  return [
    { path: place, message, mend: 'Write 1h unless the service itself has static keys: EKS, ECS and EC2 give roles.' },
  ];
}

function checkIssuers(path: ConfigPath, { webIdentity }: DatabaseConfig, issuers: Parts['issuers']): Finding[] {
  const known = knownIssuerNames(issuers);
  if (webIdentity === undefined || known === undefined) return [];
  return webIdentity.issuers.flatMap((name, index) => {
    if (known.has(name)) return [];
    const place = [...path, 'webIdentity', 'issuers', index];
    const message = `${formatPath(place)} names ${name}, which is no issuer.`;
    return [{ path: place, message, mend: suggest(name, [...known], 'in issuers') }];
  });
}

/** IAM has OIDC providers with HTTPS addresses only, whose keys it fetches itself. */
function warnOfIssuers(path: ConfigPath, { webIdentity }: DatabaseConfig, issuers: Parts['issuers']): Finding[] {
  const plain = new Set((issuers ?? []).filter((one) => one?.issuer?.startsWith('http:')).map((one) => one?.name));
  return (webIdentity?.issuers ?? []).flatMap((name, index) => {
    if (!plain.has(name)) return [];
    const place = [...path, 'webIdentity', 'issuers', index];
    const message = `${formatPath(place)} is ${name}, whose address is not HTTPS, so that IAM cannot know it.`;
    return [{ path: place, message, mend: 'Use role instead, or an issuer that AWS can reach.' }];
  });
}

/** A caller that a grant lets through and STS never sees would get 503 for ever. */
function checkGrantIssuers({ grants, databases }: Parts): Finding[] {
  const limited = new Map(
    Object.entries(databases ?? {}).flatMap(([name, database]) =>
      database?.webIdentity === undefined ? [] : [[name, database.webIdentity.issuers] as const],
    ),
  );
  if (limited.size === 0) return [];
  return (grants ?? []).flatMap(({ issuer, allow }, index) =>
    (allow ?? []).flatMap((item, position) => {
      const taken = item === null ? undefined : limited.get(item.database);
      if (issuer === null || item === null || taken === undefined || taken.includes(issuer)) return [];
      const path = ['grants', index, 'allow', position, 'database'];
      const message = `${formatPath(path)} is ${item.database}, whose webIdentity does not take JWTs of issuer ${issuer}.`;
      return [{ path, message, mend: `Add ${issuer} to its issuers, or remove it here.` }];
    }),
  );
}
