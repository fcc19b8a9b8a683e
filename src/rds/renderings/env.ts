import { auditIdOf, type Connection } from '../connection.ts';

/**
 * `export` lines for a POSIX shell: `. ./file`, or `eval "$(curl …)"`. libpq reads every `PG…` name. The MySQL and
 * MariaDB clients read `MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_PWD` and `LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN`; they take no
 * user from the environment, so `mysql -u "$MYSQL_USER" "$MYSQL_DATABASE"`, with `--ssl-mode` and `--ssl-ca` (MariaDB:
 * `--ssl-verify-server-cert` too, or the token may leave in clear), and with
 * `--init-command="SET @rtv_audit_id='$RTV_AUDIT_ID'"` to tie the session to the audit record.
 */
export function renderEnv(connection: Connection, token: string): string {
  return Object.entries(environmentOf(connection, token))
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join('');
}

export function environmentOf(connection: Connection, token: string): Readonly<Record<string, string>> {
  const { engine, host, port, database, user, sslmode, application_name } = connection;
  return engine === 'postgres'
    ? {
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGDATABASE: database,
        PGPASSWORD: token,
        PGSSLMODE: sslmode,
        PGAPPNAME: application_name,
      }
    : {
        MYSQL_HOST: host,
        MYSQL_TCP_PORT: String(port),
        MYSQL_USER: user,
        MYSQL_DATABASE: database,
        MYSQL_PWD: token,
        LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1',
        RTV_AUDIT_ID: auditIdOf(connection),
      };
}

/** In single quotes a POSIX shell reads nothing but the closing quote. */
export function shellQuote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
