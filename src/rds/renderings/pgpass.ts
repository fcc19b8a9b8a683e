import type { Connection } from '../connection.ts';

/**
 * One line of `.pgpass`, where `:` and `\` are escaped (PostgreSQL manual, "The Password File"), and so is a field that
 * is nothing but `*`, which libpq would take for any value. The file must be mode 0600. libpq before 13 cuts lines at
 * 319 bytes, which is shorter than a token.
 */
export function renderPgpass(connection: Connection, token: string): string {
  const { host, port, database, user } = connection;
  return `${[host, String(port), database, user, token].map(escape).join(':')}\n`;
}

function escape(field: string): string {
  return field === '*' ? '\\*' : field.replace(/[\\:]/g, '\\$&');
}
