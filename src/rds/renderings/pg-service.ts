import { Fault } from '../../issuance/fault.ts';
import type { Connection } from '../connection.ts';

/** libpq reads the service file in lines of at most 1,022 bytes with their end, and refuses the file for a longer one. */
const MAX_LINE_BYTES = 1021;

/** The longest token that a line of a service file holds, bytes. */
export const PG_SERVICE_TOKEN_BYTES = MAX_LINE_BYTES - 'password='.length;

/**
 * A section of `pg_service.conf` (PostgreSQL manual, "The Connection Service File"), named after the database. The
 * reader knows no escapes: it cuts white space at the end of a line and takes the rest as it is. Throws a `Fault` of code
 * `internal` for a value that no line can hold.
 */
export function renderPgService(connection: Connection, token: string): string {
  const { host, port, database, user, sslmode, application_name } = connection;
  return pgServiceSection(database, {
    host,
    port: String(port),
    dbname: database,
    user,
    password: token,
    sslmode,
    application_name,
  });
}

export function pgServiceSection(name: string, parameters: Readonly<Record<string, string>>): string {
  const lines = [`[${name}]`, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)];
  if (
    lines.some((line) => Buffer.byteLength(line) > MAX_LINE_BYTES || /\p{Cc}|\s$/u.test(line)) ||
    name.includes(']')
  ) {
    throw new Fault('internal', 'nothing was rendered: a value does not fit a line of a service file');
  }
  return `${lines.join('\n')}\n`;
}
