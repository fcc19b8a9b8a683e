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
  return pgServiceSection(connection.database, { ...parametersOf(connection), password: token });
}

/** Why a connection is in no service file, whatever its token; undefined when it can be. */
export function whyNoPgService(connection: Connection): string | undefined {
  return whyNoSection(connection.database, parametersOf(connection));
}

function parametersOf({ host, port, database, user, sslmode, application_name }: Connection): Record<string, string> {
  return { host, port: String(port), dbname: database, user, sslmode, application_name };
}

export function pgServiceSection(name: string, parameters: Readonly<Record<string, string>>): string {
  const why = whyNoSection(name, parameters);
  if (why !== undefined) throw new Fault('internal', `nothing was rendered: ${why}`);
  return `${linesOf(name, parameters).join('\n')}\n`;
}

/** Why a service file can have no such section; undefined when it can. */
export function whyNoSection(name: string, parameters: Readonly<Record<string, string>>): string | undefined {
  if (name.includes(']')) return 'the name of a section of a service file has no ]';
  const unfit = linesOf(name, parameters).some(
    (line) => Buffer.byteLength(line) > MAX_LINE_BYTES || /\p{Cc}|\s$/u.test(line),
  );
  return unfit ? `a value is not one line of at most ${MAX_LINE_BYTES} bytes, or ends in a space` : undefined;
}

function linesOf(name: string, parameters: Readonly<Record<string, string>>): string[] {
  return [`[${name}]`, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)];
}
