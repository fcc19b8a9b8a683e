import { auditIdOf, type Connection } from '../connection.ts';

/**
 * `export` lines for a POSIX shell: `. ./file`, or `eval "$(curl …)"`. libpq reads every `PG…` name. The MySQL and
 * MariaDB clients read `MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_PWD` and `LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN`; they take no
 * user from the environment, so `mysql -u "$MYSQL_USER" "$MYSQL_DATABASE"`, with `--ssl-mode` and `--ssl-ca`, and with
 * `--init-command="SET @rtv_audit_id='$RTV_AUDIT_ID'"` to tie the session to the audit record.
 */
export function renderEnv(connection: Connection, token: string): string {
  const { engine, host, port, database, user, sslmode, application_name } = connection;
  const variables =
    engine === 'postgres'
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
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join('');
}

/** In single quotes a POSIX shell reads nothing but the closing quote. */
function shellQuote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
