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
  /** MySQL and MariaDB: the same tie, as an attribute of the connection that `session_connect_attrs` shows. */
  readonly connection_attributes?: { readonly rtv_audit_id: string };
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
    ...(database.engine === 'postgres' ? {} : { connection_attributes: { rtv_audit_id: auditId } }),
  };
}

/** The id of the audit record that a connection names. */
export function auditIdOf({ application_name }: Connection): string {
  return application_name.replace(/^rtv:/, '');
}
