import type { Database, Endpoint, Engine } from '../issuance/database.ts';

/** The facts a client connects with, as the API spells them. `host` and `port` are where to connect, not what was signed. */
export type Connection = {
  readonly engine: Engine;
  readonly host: string;
  readonly port: number;
  /** The database inside the server. */
  readonly database: string;
  readonly user: string;
  readonly region: string;
  readonly sslmode: 'verify-full';
  /** `rtv:` and the audit record's id: a session in the database names the decision that allowed it. */
  readonly application_name: string;
};

export function connectionTo(database: Database, endpoint: Endpoint, user: string, auditId: string): Connection {
  return {
    engine: database.engine,
    host: endpoint.connectHost,
    port: endpoint.connectPort,
    database: database.databaseName,
    user,
    region: database.region,
    sslmode: 'verify-full',
    application_name: `rtv:${auditId}`,
  };
}
