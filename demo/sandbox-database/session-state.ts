import { message } from './messages.ts';
import type { PostgresThread } from './postgres-thread.ts';

/** What a client's session has set up in the server, kept while another client has its turn. */
export type SessionState = {
  readonly user: string;
  /** Settings by name, such as `application_name`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly prepared: readonly PreparedStatement[];
};

type PreparedStatement = {
  readonly name: string;
  readonly statement: string;
  /** Prepared by the SQL command: `statement` is then the whole command. */
  readonly fromSql: boolean;
  readonly parameterTypes: readonly number[];
};

const BECOME_SUPERUSER = 'SET SESSION AUTHORIZATION postgres';

/** Makes PGlite's one session this client's. Rejects when a setting has a value that PostgreSQL does not take. */
export async function loadSession(postgres: PostgresThread, state: SessionState): Promise<void> {
  await postgres.query(
    'SELECT pg_catalog.set_config(key, value, false) FROM pg_catalog.jsonb_each_text($1::text::jsonb)',
    [JSON.stringify(state.settings)],
  );
  for (const prepared of state.prepared) await postgres.exchange(prepareAgain(prepared));
  if (state.prepared.length > 0) await postgres.exchange(message('S'));
  // RESET SESSION AUTHORIZATION does nothing here, so there is no way back but the statement that is guarded.
  await postgres.query(`SET SESSION AUTHORIZATION "${state.user}"`);
}

function prepareAgain({ name, statement, fromSql, parameterTypes }: PreparedStatement): Buffer {
  if (fromSql) return message('Q', statement);
  const count = Buffer.alloc(2);
  count.writeUInt16BE(parameterTypes.length);
  return message('P', name, statement, count, ...parameterTypes);
}

/** Reads what `loadSession` needs to go on later. The session must be outside a transaction. */
export async function saveSession(postgres: PostgresThread, user: string): Promise<SessionState> {
  await postgres.query(BECOME_SUPERUSER);
  const settings = await postgres.query("SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'");
  const prepared = await postgres.query(
    `SELECT name, statement, from_sql, pg_catalog.array_to_string(parameter_types::oid[], ',') AS types
     FROM pg_catalog.pg_prepared_statements WHERE name <> ''`,
  );
  return {
    user,
    settings: Object.fromEntries(settings.map(({ name, setting }) => [String(name), String(setting)])),
    prepared: prepared.map(({ name, statement, from_sql: fromSql, types }) => ({
      name: String(name),
      statement: String(statement),
      fromSql: fromSql === true,
      parameterTypes: String(types).split(',').filter(Boolean).map(Number),
    })),
  };
}

/** Leaves nothing of the client in PGlite's session. */
export async function clearSession(postgres: PostgresThread): Promise<void> {
  await postgres.query(BECOME_SUPERUSER);
  await postgres.query('DISCARD ALL');
}
