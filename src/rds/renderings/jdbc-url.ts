import { auditIdOf, type Connection } from '../connection.ts';
import { percentEncode } from '../percent-encode.ts';
import { uriHost } from './uri.ts';

/**
 * A JDBC URL with user and token, for programs with a field for one (DBeaver, DataGrip). pgJDBC and MySQL Connector/J
 * percent-decode its parameters; MariaDB Connector/J does not, so there is none for MariaDB.
 */
export function jdbcUrl(connection: Connection, token: string): string {
  const { engine, host, port, database, user, application_name } = connection;
  const parameters = {
    user,
    password: token,
    ...(engine === 'postgres'
      ? { sslmode: 'verify-full', ApplicationName: application_name }
      : { sslMode: 'VERIFY_IDENTITY', connectionAttributes: `rtv_audit_id:${auditIdOf(connection)}` }),
  };
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${percentEncode(value)}`);
  const scheme = engine === 'postgres' ? 'postgresql' : 'mysql';
  return `jdbc:${scheme}://${uriHost(host)}:${port}/${percentEncode(database)}?${query.join('&')}`;
}
