import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import type { AuditStore } from '../audit-store.ts';

export type PostgresConfig = Extract<AuditStore, { type: 'postgres' }>;

export type Row = Readonly<Record<string, unknown>>;

export type Statement = {
  /** A named one is prepared once. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
};

/** Runs one statement. Rejects with what the server said, or when `timeout` milliseconds went by: then the connection is gone. */
export type Query = (statement: Statement, timeout?: number) => Promise<readonly Row[]>;

export type Connection = {
  readonly query: Query;
  /** As `query`, and rejects when the server warned: a commit that was not replicated as configured is only warned of. */
  readonly write: Query;
  /** False once it is known to be broken. */
  isAlive(): boolean;
  /** Never waits long, whatever the server does. */
  close(): Promise<void>;
};

export type ConnectOptions = {
  /** Milliseconds for all of TCP, TLS and login. */
  readonly connectTimeout: number;
  /** Milliseconds of a statement that says nothing else. */
  readonly queryTimeout: number;
  /** Settings of the session, `NAME=VALUE` without spaces. Those of the environment (`PGOPTIONS`) count when it is left out. */
  readonly settings?: readonly string[];
};

/** How long a parting message may take. Milliseconds. */
const CLOSE_TIMEOUT = 200;
/** A dead peer is looked for after so long without traffic. Milliseconds. */
const KEEP_ALIVE_DELAY = 10_000;

/** Logs in. Rejects with an `Error` that says what is wrong and holds no password. */
export async function connect(config: PostgresConfig, options: ConnectOptions): Promise<Connection> {
  const socket = new Socket();
  const client = new Client({ ...clientConfig(config), ...sessionSettings(options), stream: () => socket });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let alive = true;
  let warning: string | null = null;
  client.on('error', () => {
    alive = false;
  });
  client.on('end', () => {
    alive = false;
    end();
  });
  client.on('notice', ({ severity, message }) => {
    if (severity === 'WARNING') warning = message ?? severity;
  });

  /** A server that is paused, or a network that swallows packets, gives no error at all. */
  async function within<T>(timeout: number, work: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      alive = false;
      reject(new Error(`the server gave no answer within ${timeout} ms`));
      socket.destroy();
    }, timeout);
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function query(statement: Statement, timeout = options.queryTimeout): Promise<readonly Row[]> {
    const { values, ...rest } = statement;
    const sent = client.query<Row>(values === undefined ? rest : { ...rest, values: [...values] });
    const result = await within(timeout, sent);
    // Several statements in one text give a list of results.
    return Array.isArray(result) ? [] : result.rows;
  }

  try {
    await within(options.connectTimeout, client.connect());
  } catch (error) {
    socket.destroy();
    throw clearer(error);
  }
  return {
    query,
    async write(statement, timeout) {
      warning = null;
      const rows = await query(statement, timeout);
      if (warning !== null) throw new Error(`the server warned: ${String(warning)}`);
      return rows;
    },
    isAlive: () => alive,
    async close() {
      alive = false;
      const timer = setTimeout(() => {
        socket.destroy();
        end();
      }, CLOSE_TIMEOUT);
      await Promise.race([client.end(), ended]).catch(() => undefined);
      clearTimeout(timer);
      socket.destroy();
    },
  };
}

/** The SQLSTATE of a server's error, or null. */
export function sqlStateOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function clientConfig(config: PostgresConfig): ClientConfig {
  const { host, port, database, user, passwordFile } = config;
  return {
    host,
    port,
    database,
    user,
    // Read at each login: it may have been rotated. Without it `pg` looks at PGPASSWORD and the password file of libpq.
    ...(passwordFile !== undefined && { password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') }),
    ssl: tlsOptions(config),
    application_name: 'rds-token-vendor audit',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
  };
}

/** Always given, since `pg` would otherwise follow PGSSLMODE, which can switch verification off. */
function tlsOptions({ host, tls, caFile }: PostgresConfig): NonNullable<ClientConfig['ssl']> {
  // PostgreSQL has no TLS on a Unix socket.
  if (!tls || host.startsWith('/')) return false;
  return { rejectUnauthorized: true, ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) };
}

function sessionSettings({ settings }: ConnectOptions): ClientConfig {
  return settings === undefined ? {} : { options: settings.map((setting) => `-c ${setting}`).join(' ') };
}

function clearer(error: unknown): Error {
  // A host name with several addresses: Node's error has the reasons inside and no message.
  if (error instanceof AggregateError) {
    return new Error(error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; '), {
      cause: error,
    });
  }
  if (!(error instanceof Error)) return new Error(String(error));
  if (!error.message.includes('client password must be a')) return error;
  return new Error('the server asks for a password: set passwordFile, or PGPASSWORD', { cause: error });
}
