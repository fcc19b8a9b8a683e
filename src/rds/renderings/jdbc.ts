import type { Engine } from '../../issuance/database.ts';
import { auditIdOf, type Connection } from '../connection.ts';
import { percentEncode } from '../percent-encode.ts';
import { uriHost } from './uri.ts';

/**
 * A Java `.properties` text for `DriverManager.getConnection(p.getProperty("url"), p)`.
 *
 * User and token are properties and not parts of the URL: the drivers take properties as they are, whereas URL
 * parameters are percent-decoded by pgJDBC and MySQL Connector/J but not by MariaDB Connector/J. `url` names only what
 * the driver must know, and every other line is a property of that driver, so the whole text may be passed on. The
 * client adds where its CA bundle is: `sslrootcert` (pgJDBC), `trustCertificateKeyStoreUrl` (MySQL), `serverSslCert`
 * (MariaDB). `connectionAttributes` is of the form that both Connector/J read, `name:value`.
 */
export function renderJdbc(connection: Connection, token: string): string {
  const { engine, host, port, database, user, application_name } = connection;
  const path = engine === 'mariadb' ? database : percentEncode(database);
  const properties = {
    url: `jdbc:${SCHEME[engine]}://${uriHost(host)}:${port}/${path}`,
    user,
    password: token,
    ...TLS[engine],
    ...(engine === 'postgres'
      ? { ApplicationName: application_name }
      : { connectionAttributes: `rtv_audit_id:${auditIdOf(connection)}` }),
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escapeProperty(value)}\n`)
    .join('');
}

const SCHEME: Record<Engine, string> = { postgres: 'postgresql', mysql: 'mysql', mariadb: 'mariadb' };

const TLS: Record<Engine, Record<string, string>> = {
  postgres: { sslmode: 'verify-full' },
  mysql: { sslMode: 'VERIFY_IDENTITY' },
  mariadb: { sslMode: 'verify-full' },
};

/** `java.util.Properties.load`: a backslash escapes, and a byte stream is read as ISO 8859-1, hence `\uXXXX`. */
function escapeProperty(value: string): string {
  return value
    .replace(/[\\:=#!]/g, '\\$&')
    .replace(/^ /, '\\ ')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
