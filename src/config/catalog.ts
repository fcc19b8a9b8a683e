import type { Config, DatabaseConfig } from '../config.ts';
import type { Database, Endpoint } from '../issuance/database.ts';

const USUAL_PORT = { postgres: 5432, mysql: 3306, mariadb: 3306 };

/** The databases by name, in the order of the configuration, with every default filled in and hosts in lower case. */
export function buildCatalog(config: Pick<Config, 'databases'>): ReadonlyMap<string, Database> {
  return new Map(Object.entries(config.databases).map(([name, database]) => [name, buildDatabase(name, database)]));
}

function buildDatabase(name: string, database: DatabaseConfig): Database {
  const { engine, region, accountId, resourceId, databaseName = name } = database;
  const caBundleId = caBundleIdOf(database);
  return { name, engine, region, accountId, resourceId, endpoints: buildEndpoints(database), databaseName, caBundleId };
}

function buildEndpoints(database: DatabaseConfig): ReadonlyMap<string, Endpoint> {
  const entries = Object.entries(database.endpoints).map(([name, written]): [string, Endpoint] => {
    // RDS signs and checks its host in lower case; another case would give another signature.
    const host = written.host.toLowerCase();
    const port = written.port ?? USUAL_PORT[database.engine];
    const { connectHost = host, connectPort = port } = written;
    return [name, { name, host, port, connectHost, connectPort }];
  });
  return new Map(entries);
}

/** The bundle's id in `GET /v1/ca-bundles/{id}`; an operator's own file is known by the start of its SHA-256. */
export function caBundleIdOf({ caBundle, region, resourceId }: DatabaseConfig): string {
  if (typeof caBundle === 'string') return caBundle;
  if (caBundle !== undefined) return `file-${caBundle.sha256.slice(0, 16)}`;
  // TLS of an RDS Proxy is by AWS Certificate Manager, not by the RDS roots (RDS User Guide, "RDS Proxy and TLS/SSL").
  return resourceId.startsWith('prx-') ? 'amazon-roots' : region;
}

/** The endpoints a grant means when it names none; undefined where it has to name them. */
export function usualEndpoint(names: readonly string[]): string | undefined {
  if (names.includes('writer')) return 'writer';
  return names.length === 1 ? names[0] : undefined;
}
