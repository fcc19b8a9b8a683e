import { guardStatement } from './guard-statement.ts';
import { leadingStrings, type Message, message, splitMessages } from './messages.ts';
import type { PostgresThread, Row } from './postgres-thread.ts';
import { clearSession, loadSession, saveSession, type SessionState } from './session-state.ts';
import { createTurns } from './turns.ts';

/** One client's session. Its calls must not overlap. */
export type BackendSession = {
  /** Passes one message of the client on; resolves with the answer. */
  exchange(received: Message): Promise<Buffer>;
  /** Settings that clients are told at login, such as `server_version`. */
  reportedSettings(): Promise<readonly Row[]>;
  /** Rolls back what is open, and forgets the session. */
  end(): Promise<void>;
};

export type Backend = {
  open(user: string, settings: Readonly<Record<string, string>>): BackendSession;
};

const REPORTED = `'server_version', 'server_encoding', 'client_encoding', 'application_name', 'DateStyle',
  'integer_datetimes', 'IntervalStyle', 'standard_conforming_strings', 'TimeZone'`;

/** How long a client waits for another one's transaction. */
const WAIT_MS = 15_000;

/**
 * Lets several clients share PGlite's one session. A client keeps it from the first message of a statement until
 * PostgreSQL is idle again, so transactions are never mixed. When another client's turn comes, settings and prepared
 * statements are put aside and brought back later; LISTEN, advisory locks and cursors WITH HOLD do not survive that.
 */
export function createBackend(postgres: PostgresThread): Backend {
  const turns = createTurns();
  /** Puts the session that PGlite holds now aside. */
  let putAside: (() => Promise<void>) | undefined;

  async function pass(...messages: readonly Buffer[]): Promise<void> {
    for (const bytes of messages) await postgres.exchange(bytes);
  }

  function open(user: string, settings: Readonly<Record<string, string>>): BackendSession {
    let state: SessionState = { user, settings, prepared: [] };
    let lastUnnamedParse: Buffer | undefined;
    let endTurn: (() => void) | undefined;

    async function saveMine(): Promise<void> {
      state = await saveSession(postgres, user);
      await clearSession(postgres);
    }

    async function beginTurn(): Promise<void> {
      endTurn ??= await turns.take(WAIT_MS);
      if (putAside === saveMine) return;
      try {
        await putAside?.();
        putAside = undefined;
        await clearSession(postgres);
        await loadSession(postgres, state);
        if (lastUnnamedParse) await pass(lastUnnamedParse, message('S'));
        putAside = saveMine;
      } catch (error) {
        finishTurn();
        throw error;
      }
    }

    function finishTurn(): void {
      endTurn?.();
      endTurn = undefined;
    }

    return {
      async exchange(received) {
        await beginTurn();
        const bytes = guardStatement(received);
        if (received.type === 'P' && bytes[5] === 0) lastUnnamedParse = bytes;
        if (received.type === 'Q') lastUnnamedParse = undefined;
        const answer = await postgres.exchange(bytes);
        const messages = splitMessages(answer);
        assertStill(user, messages);
        if (messages.findLast(({ type }) => type === 'Z')?.bytes[5] === IDLE) finishTurn();
        return answer;
      },
      async reportedSettings() {
        await beginTurn();
        try {
          return await postgres.query(`SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (${REPORTED})`);
        } finally {
          finishTurn();
        }
      },
      async end() {
        if (putAside !== saveMine && !endTurn) return;
        endTurn ??= await turns.take(WAIT_MS);
        try {
          if (putAside !== saveMine) return;
          await pass(message('S'), message('Q', 'ROLLBACK'));
          await clearSession(postgres);
          putAside = undefined;
        } finally {
          finishTurn();
        }
      },
    };
  }

  return { open };
}

/** A second line behind `guard-statement.ts`: PostgreSQL reports each change of the session's user. */
function assertStill(user: string, messages: readonly Message[]): void {
  for (const { type, bytes } of messages) {
    if (type !== 'S') continue;
    const [name, value] = leadingStrings(bytes, 2);
    if (name === 'session_authorization' && value !== user) throw new Error('the session became another user');
  }
}

const IDLE = 'I'.charCodeAt(0);
