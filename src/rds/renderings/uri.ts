import { isIPv6 } from 'node:net';
import { auditIdOf, type Connection } from '../connection.ts';
import { percentEncode } from '../percent-encode.ts';

/**
 * One connection URI and a line end. PostgreSQL: libpq's form (PostgreSQL manual, "Connection URIs"). MySQL and MariaDB:
 * MySQL's form with `ssl-mode` (MySQL manual, "Connecting Using URI-Like Strings"); drivers that spell the TLS
 * parameter their own way need it changed.
 */
export function renderUri(connection: Connection, token: string): string {
  const { engine, host, port, database, user, sslmode, application_name } = connection;
  const authority = `${percentEncode(user)}:${percentEncode(token)}@${uriHost(host)}:${port}`;
  const path = `/${percentEncode(database)}`;
  return engine === 'postgres'
    ? `postgresql://${authority}${path}?sslmode=${sslmode}&application_name=${percentEncode(application_name)}\n`
    : `mysql://${authority}${path}?ssl-mode=VERIFY_IDENTITY&connection-attributes=[rtv_audit_id=${auditIdOf(connection)}]\n`;
}

/** An IPv6 address goes in brackets, its zone's `%` encoded (RFC 6874). */
export function uriHost(host: string): string {
  return isIPv6(host) ? `[${host.replace('%', '%25')}]` : host;
}
