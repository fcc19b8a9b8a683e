import { readFileSync } from 'node:fs';
import type { Redis, RedisOptions } from 'ioredis';

/** The server that counts for all replicas. */
export type LimitStore = {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tls: boolean;
  readonly caFile?: string | undefined;
};

/** Why one counting could not be had. */
export type LimitStoreFailure = 'not_connected' | 'no_answer' | 'error';

export type LimitStoreEvents = {
  /** Called for each counting that the server did not do. */
  readonly onFailure: (cause: LimitStoreFailure) => void;
  /** Called once for each change. `problem` is a sentence without a secret; null: it counts. */
  readonly onChange: (problem: string | null) => void;
};

export type LimitStoreConnection = {
  readonly client: Redis;
  /** Has the server count. Rejects, within a fifth of a second, when it cannot. */
  ask<Result>(count: () => Promise<Result>): Promise<Result>;
  close(): void;
};

/** A decision waits this long. Milliseconds. */
const ANSWER_TIMEOUT = 200;
/** For TCP and TLS, and then for each command of the login: no decision waits for them. Milliseconds. */
const CONNECT_TIMEOUT = 2000;
const LOGIN_TIMEOUT = 1000;
/** A start waits this long for the first connection, so that the first callers are counted with all others. Milliseconds. */
const FIRST_TIMEOUT = 1000;
const RETRY_MIN = 100;
const RETRY_MAX = 5000;

/** Does what counting does, so that a server which answers and yet cannot count is known before a decision asks it. */
const TRIAL = "redis.call('INCR', KEYS[1]); return redis.call('PEXPIRE', KEYS[1], 1000)";

/**
 * Connects, and goes on trying for as long as it takes. While there is no connection that has shown to count, nothing is
 * sent: a decision never waits for a server that is known to be gone.
 *
 * @param prefix of every key; the user of the ACL needs no other.
 */
export async function connectLimitStore(
  store: LimitStore,
  prefix: string,
  { onFailure, onChange }: LimitStoreEvents,
): Promise<LimitStoreConnection> {
  // Loaded where it is configured.
  const { Redis } = await import('ioredis');
  const known = Promise.withResolvers<void>();
  /** The connection that countings belong to: what one of them meets says nothing of the next. */
  let connection = 0;
  /** null: it counts. undefined: not known yet. */
  let problem: string | null | undefined;
  let attempts = 0;
  let again: NodeJS.Timeout | undefined;
  let closed = false;

  function note(found: string | null): void {
    const changed = problem === undefined || (problem === null) !== (found === null);
    known.resolve();
    if (!changed || closed) return;
    problem = found;
    onChange(found);
  }

  function lose(ofConnection: number, error: unknown): void {
    if (ofConnection !== connection) return;
    connection += 1;
    note(textOf(error));
    // Whatever it was: a new connection asks the name server again, reads the password again, and ends what hangs.
    if (client.status === 'ready') client.disconnect(true);
  }

  async function tryOut(ofConnection: number): Promise<void> {
    try {
      await inTime(client.eval(TRIAL, 1, `${prefix}trial`));
      if (ofConnection !== connection) return;
      attempts = 0;
      note(null);
    } catch (error) {
      lose(ofConnection, error);
    }
  }

  /** Milliseconds to the next attempt, which reads the files again: they may have been rotated. */
  function nextAttempt(): number {
    Object.assign(client.options, readSecrets(store, note));
    attempts += 1;
    return Math.min(RETRY_MAX, RETRY_MIN * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
  }

  const client = new Redis({
    ...(store.host.startsWith('/') ? { path: store.host } : { host: store.host, port: store.port }),
    ...readSecrets(store, note),
    connectionName: 'rds-token-vendor',
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT,
    commandTimeout: LOGIN_TIMEOUT,
    disconnectTimeout: ANSWER_TIMEOUT,
    // A counting that was not answered is over: sent again it would count twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // It would ask for INFO, which the ACL may not allow, and tell standard error about it.
    enableReadyCheck: false,
    retryStrategy: nextAttempt,
  });
  client.on('error', (error: unknown) => note(textOf(error)));
  client.on('close', () => {
    connection += 1;
    note('the connection was closed');
  });
  client.on('ready', () => {
    connection += 1;
    void tryOut(connection);
  });
  // It gives up by itself where no attempt can be begun, as with a CA file that is half written.
  client.on('end', () => {
    if (!closed) again = setTimeout(() => void client.connect().catch(() => undefined), nextAttempt());
  });

  const timer = setTimeout(() => note('there is no connection yet'), FIRST_TIMEOUT);
  await known.promise;
  clearTimeout(timer);
  return {
    client,
    async ask(count) {
      if (problem !== null) {
        onFailure('not_connected');
        throw new Error(problem);
      }
      const asked = connection;
      try {
        return await inTime(count());
      } catch (error) {
        onFailure(error instanceof NoAnswer ? 'no_answer' : 'error');
        lose(asked, error);
        throw error;
      }
    },
    close() {
      closed = true;
      clearTimeout(again);
      client.disconnect();
    },
  };
}

class NoAnswer extends Error {}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new NoAnswer(`the server gave no answer within ${ANSWER_TIMEOUT} ms`));
  // Where it is this process that is late, the answer is there and unread: sockets are read once more before giving up.
  const timer = setTimeout(() => setImmediate(giveUp), ANSWER_TIMEOUT);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function readSecrets(
  { host, username, passwordFile, tls, caFile }: LimitStore,
  onProblem: (problem: string) => void,
): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  try {
    return {
      ...(username !== undefined && { username }),
      ...(passwordFile !== undefined && { password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') }),
      ...(tls &&
        !host.startsWith('/') && {
          tls: { rejectUnauthorized: true, ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) },
        }),
    };
  } catch (error) {
    onProblem(textOf(error));
    return {};
  }
}

/** Only the words: errors of the client also hold the command, which may be the login. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ');
  return error instanceof Error ? error.message : 'unknown failure';
}
