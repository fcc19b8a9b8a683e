import { randomBytes } from 'node:crypto';
import type { Backend, BackendSession } from './backend.ts';
import { asMessage, message, messageLength, readyForQuery } from './messages.ts';
import type { SocketReader } from './socket-reader.ts';

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Query, Parse, Bind, Describe, Execute, Sync, Flush, Close. */
const CLIENT_MESSAGES = 'QPBDESHC';
/** Data of a COPY that has failed, as each does here: PostgreSQL ignores it too. */
const COPY_MESSAGES = 'dcf';

/** Settings that a client may bring along in its startup packet. */
const STARTUP_SETTINGS = new Set([
  'application_name',
  'client_encoding',
  'datestyle',
  'extra_float_digits',
  'intervalstyle',
  'search_path',
  'timezone',
]);

/** Serves a client that has logged in until it leaves. */
export async function serveSession(
  user: string,
  parameters: ReadonlyMap<string, string>,
  backend: Backend,
  reader: SocketReader,
  send: (bytes: Buffer) => void,
): Promise<void> {
  const wanted = [...parameters].filter(([name]) => STARTUP_SETTINGS.has(name.toLowerCase()));
  const session = backend.open(user, Object.fromEntries(wanted));
  try {
    await greet(user, session, send);
    for (;;) {
      const bytes = await reader.next((bytes) => messageLength(bytes, MAX_MESSAGE_BYTES));
      if (!bytes || bytes[0] === TERMINATE) return;
      const received = asMessage(bytes);
      if (COPY_MESSAGES.includes(received.type)) continue;
      if (!CLIENT_MESSAGES.includes(received.type)) throw new Error(`invalid frontend message type ${bytes[0]}`);
      send(await session.exchange(received));
    }
  } finally {
    await session.end();
  }
}

async function greet(user: string, session: BackendSession, send: (bytes: Buffer) => void): Promise<void> {
  const settings = await session.reportedSettings();
  const reported = settings.map(({ name, setting }) => message('S', String(name), String(setting)));
  send(
    Buffer.concat([
      message('R', AUTHENTICATION_OK),
      ...reported,
      message('S', 'session_authorization', user),
      message('S', 'is_superuser', 'off'),
      // A key to cancel with, which no statement here can be: PGlite runs each to its end.
      message('K', 0, randomBytes(4)),
      readyForQuery('I'),
    ]),
  );
}

const AUTHENTICATION_OK = 0;
const TERMINATE = 'X'.charCodeAt(0);
