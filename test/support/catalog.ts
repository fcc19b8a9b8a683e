import type { Caller } from '../../src/issuance/caller.ts';
import type { Circumstances } from '../../src/issuance/circumstances.ts';
import type { Database, Endpoint } from '../../src/issuance/database.ts';

function endpoint(name: string, host: string): [string, Endpoint] {
  return [name, { name, host, port: 5432, connectHost: host, connectPort: 5432 }];
}

/** A database of the catalog; tests change what they are about. */
export function database(changes: Partial<Database> = {}): Database {
  return {
    name: 'orders',
    engine: 'postgres',
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABCDEFGH',
    endpoints: new Map([
      endpoint('writer', 'orders.cluster-abc.us-west-2.rds.amazonaws.com'),
      endpoint('reader', 'orders.cluster-ro-abc.us-west-2.rds.amazonaws.com'),
    ]),
    databaseName: 'orders',
    caBundleId: 'us-west-2',
    ...changes,
  };
}

export const CATALOG: ReadonlyMap<string, Database> = new Map(
  ['orders', 'billing'].map((name) => [name, database({ name })]),
);

/** What decisions of tests go by. */
export const CIRCUMSTANCES: Circumstances = { now: 1_790_000_000_000, clientAddress: '10.1.2.3' };

/** A verified caller; tests change what they are about. */
export function caller(changes: Partial<Caller> = {}): Caller {
  return {
    keptClaims: null,
    workload: null,
    issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    claims: {},
    expiresAt: 2_000_000_000_000,
    ...changes,
  };
}
