import type { Query } from './connection.ts';

/** Generated columns of partitioned tables that a foreign program can rely on; older ones have no more updates either. */
const LEAST_VERSION = 13;

/**
 * A statement ends by itself a little before its caller gives up on the connection, so that those which wait for a lock do
 * not pile up in the server. Milliseconds.
 */
const STATEMENT_TIMEOUT = 600;

/** What the session relies on, whatever was configured for the server, the database or the user. */
const PINNED: Readonly<Record<string, string>> = {
  statement_timeout: String(STATEMENT_TIMEOUT),
  lock_timeout: String(STATEMENT_TIMEOUT),
  // A transaction that is left open must not keep its locks.
  idle_in_transaction_session_timeout: '15000',
  // A commit that was not replicated is told by a warning only.
  client_min_messages: 'warning',
  default_transaction_isolation: 'read committed',
  // Nobody's operators and functions but the system's.
  search_path: 'pg_catalog, pg_temp',
  // A backslash in a name must not end a text.
  standard_conforming_strings: 'on',
  jit: 'off',
  // A policy that hides rows is then an error.
  row_security: 'off',
};

/**
 * Rejects for a server that would answer before records survive a power cut, or that cannot keep them. `reset_val` is what
 * the operator configured: for the server, the database, the user or by PGOPTIONS. The session keeps it, so that a later
 * change to `off` reaches nobody who is connected.
 */
export async function requireDurableServer(query: Query): Promise<void> {
  const settings = Object.entries(PINNED).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  const [server = {}] = await query({
    text: `SELECT current_setting('server_version_num')::int / 10000 AS version,
      current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS recovering,
      current_setting('transaction_read_only') AS read_only, current_setting('fsync') AS fsync,
      current_setting('full_page_writes') AS full_page_writes, s.reset_val AS synchronous_commit,
      set_config('synchronous_commit', CASE s.reset_val WHEN 'off' THEN 'on' ELSE s.reset_val END, false), ${settings.join(', ')}
      FROM pg_settings AS s WHERE s.name = 'synchronous_commit'`,
  });
  const version = Number(server['version']);
  if (!(version >= LEAST_VERSION))
    throw new Error(`the server is PostgreSQL ${version}, and ${LEAST_VERSION} or later is needed`);
  if (server['recovering'] === true) throw new Error('the server is a standby, which takes no writes');
  if (server['read_only'] !== 'off')
    throw new Error('default_transaction_read_only is on for this server, database or user');
  if (server['encoding'] !== 'UTF8')
    throw new Error(`the encoding of the database is ${String(server['encoding'])} where UTF8 is needed`);
  if (server['synchronous_commit'] === 'off') {
    throw new Error(
      'synchronous_commit is off for this server, database or user: it would lose records that it said are written',
    );
  }
  for (const name of ['fsync', 'full_page_writes']) {
    if (server[name] !== 'on')
      throw new Error(`${name} is off on the server: it would lose records that it said are written`);
  }
}
