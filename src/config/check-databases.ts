import type { DatabaseConfig } from '../config.ts';
import { partitionOf } from '../issuance/database.ts';
import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';

/** Checks that the endpoints of each database are what its region and resource id say. */
export function checkDatabases(databases: Readonly<Record<string, DatabaseConfig | null>>): Findings {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [name, database] of Object.entries(databases)) {
    if (database === null) continue;
    const path = ['databases', name];
    const unsupported = checkPartition(path, database.region);
    errors.push(...unsupported);
    if (unsupported.length > 0) continue;
    for (const [endpointName, endpoint] of Object.entries(database.endpoints)) {
      const endpointPath = [...path, 'endpoints', endpointName];
      const host = endpoint.host.toLowerCase();
      errors.push(...checkHost(endpointPath, host, database.region));
      warnings.push(...warnOfHost(endpointPath, host, database.resourceId));
      if (endpoint.port === 443) warnings.push(warnOfPort443(endpointPath));
    }
  }
  return { errors, warnings };
}

/** The isolated partitions and the European Sovereign Cloud have other host names and ARNs. */
function checkPartition(path: ConfigPath, region: string): Finding[] {
  if (!/^(?:us-iso|eu-iso|eusc-)/.test(region)) return [];
  const message = `${formatPath(path)}.region is ${region}, whose AWS partition is not supported.`;
  return [{ path: [...path, 'region'], message, mend: 'Write a region of the partitions aws, aws-us-gov or aws-cn.' }];
}

/** `NAME.ID.REGION.rds.amazonaws.com`; in China also `NAME.ID.rds.REGION.amazonaws.com.cn`. */
const RDS_HOST = /^.+\.(?:([a-z0-9-]+)\.rds|rds\.([a-z0-9-]+))\.amazonaws\.com(\.cn)?$/;

function checkHost(path: ConfigPath, host: string, region: string): Finding[] {
  const parts = RDS_HOST.exec(host);
  if (parts === null) return [];
  const hostRegion = parts[1] ?? parts[2];
  if (hostRegion !== region) {
    const message = `${formatPath(path)} is in ${hostRegion}, but the database's region is ${region}.`;
    return [{ path, message, mend: 'Correct the host or the region: a token signed for another region is refused.' }];
  }
  const suffix = partitionOf(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (host.endsWith(`.${suffix}`)) return [];
  const message = `${formatPath(path)} does not end as hosts in ${region} do.`;
  return [{ path, message, mend: `Write the host as AWS shows it: it ends in .${suffix}.` }];
}

function warnOfHost(path: ConfigPath, host: string, resourceId: string): Finding[] {
  const place = formatPath(path);
  if (!RDS_HOST.test(host)) {
    const mend = 'Write the endpoint AWS shows as host, and a CNAME or tunnel as connectHost.';
    return [{ path, message: `${place} is not an RDS endpoint, and RDS accepts only tokens for its own names.`, mend }];
  }
  const kind = /\.(proxy|cluster)-/.exec(host)?.[1];
  const mend = 'Check that the resource id belongs to this endpoint: permissions are given on the resource id.';
  if (kind === 'proxy' && !resourceId.startsWith('prx-')) {
    return [{ path, message: `${place} is an RDS Proxy, but the resource id ${resourceId} is not.`, mend }];
  }
  if (kind !== 'proxy' && resourceId.startsWith('prx-')) {
    return [{ path, message: `${place} is not an RDS Proxy, but the resource id ${resourceId} is.`, mend }];
  }
  if (kind === 'cluster' && resourceId.startsWith('db-')) {
    return [{ path, message: `${place} is a cluster's, but the resource id ${resourceId} is an instance's.`, mend }];
  }
  return [];
}

function warnOfPort443(path: ConfigPath): Finding {
  return {
    path,
    message: `${formatPath(path)} uses port 443, which AWS tools leave out when they sign.`,
    mend: 'Use another port, or test that RDS accepts the tokens: which form it expects is not documented.',
  };
}
