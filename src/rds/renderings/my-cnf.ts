import { Fault } from '../../issuance/fault.ts';
import { auditIdOf, type Connection } from '../connection.ts';

/** The clients read option files in lines of at most 4,095 bytes; the rest of a longer one becomes a line of its own. */
const MAX_LINE_BYTES = 4094;

/** The longest token that a line of an option file holds, bytes: it has nothing that is escaped. */
export const MY_CNF_TOKEN_BYTES = MAX_LINE_BYTES - 'password=""'.length;

/**
 * An option file for `mysql --defaults-extra-file=FILE --ssl-ca=BUNDLE` (MySQL manual, "Using Option Files"; MariaDB
 * Knowledge Base, "Configuring MariaDB with Option Files"). `[client]` holds what every client program knows;
 * `database` and `init-command` are known to the shell only: it sends no attributes of ours, so a variable of the session
 * carries the audit id. MariaDB's clients send a clear-text password without being told. Throws a `Fault` of code
 * `internal` when the token is too long for the format.
 */
export function renderMyCnf(connection: Connection, token: string): string {
  const { engine, host, port, database, user } = connection;
  const lines = [
    '[client]',
    `host=${quote(host)}`,
    `port=${port}`,
    // Of this name alone the clients make a Unix socket.
    ...(host === 'localhost' ? ['protocol=tcp'] : []),
    `user=${quote(user)}`,
    `password=${quote(token)}`,
    ...(engine === 'mysql' ? ['ssl-mode=VERIFY_IDENTITY', 'enable-cleartext-plugin'] : ['ssl-verify-server-cert']),
    '',
    '[mysql]',
    `database=${quote(database)}`,
    `init-command=${quote(`SET @rtv_audit_id='${auditIdOf(connection)}'`)}`,
  ];
  if (lines.some((line) => Buffer.byteLength(line) > MAX_LINE_BYTES)) {
    throw new Fault('internal', `nothing was rendered: a line of my_cnf would be longer than ${MAX_LINE_BYTES} bytes`);
  }
  return `${lines.join('\n')}\n`;
}

/** In double quotes `#` begins no comment and spaces stay; `\` and `"` are escaped. */
function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}
