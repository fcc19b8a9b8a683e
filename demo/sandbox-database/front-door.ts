import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Backend } from './backend.ts';
import type { IamDatabase } from './check-iam-token.ts';
import { LoginRefused, logIn } from './log-in.ts';
import { errorResponse } from './messages.ts';
import { serveSession } from './serve-session.ts';
import { createSocketReader } from './socket-reader.ts';
import { parseStartupPacket, startupPacketLength } from './startup-packet.ts';

export type FrontDoorOptions = {
  readonly backend: Backend;
  /** The database that tokens must be signed for. */
  readonly database: IamDatabase;
  /** The server's certificate chain and key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What a real server writes to its log, and never to the client. */
  readonly onRefused: (user: string, why: string) => void;
};

/** PostgreSQL's authentication_timeout is a minute; nobody types a token. */
const LOGIN_TIMEOUT_MS = 10_000;

/** The server's listening side: TLS or nothing, then login, then the session. */
export function createFrontDoor(options: FrontDoorOptions): Server {
  const secureContext = createSecureContext({ ...options.tls, minVersion: 'TLSv1.2' });
  return createServer((socket) => {
    // A client may go at any time; the reader sees the end of its connection.
    socket.on('error', () => socket.destroy());
    socket.setTimeout(LOGIN_TIMEOUT_MS, () => socket.destroy());
    void serveConnection(socket, secureContext, options);
  });
}

async function serveConnection(socket: Socket, secureContext: SecureContext, options: FrontDoorOptions): Promise<void> {
  let stream = socket;
  let user = '';
  const send = (bytes: Buffer): void => void (stream.writable && stream.write(bytes));
  try {
    let reader = createSocketReader(socket);
    for (;;) {
      const bytes = await reader.next(startupPacketLength);
      if (!bytes) return;
      const packet = parseStartupPacket(bytes);
      if (packet.kind === 'cancel') return;
      if (packet.kind === 'gss') send(Buffer.from('N'));
      if (packet.kind === 'tls') {
        // Bytes sent before the handshake were never protected: they may be anybody's (CVE-2021-23222).
        if (reader.release().length > 0 || stream !== socket) return;
        send(Buffer.from('S'));
        stream = new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => socket.destroy());
        reader = createSocketReader(stream);
      }
      if (packet.kind !== 'startup') continue;
      const { parameters } = packet;
      user = parameters.get('user') ?? '';
      if (stream === socket) throw notEncrypted(socket, parameters);
      const { backend, database, now } = options;
      if ((await logIn({ parameters, reader, send, database, now })) === undefined) return;
      socket.setTimeout(0);
      return await serveSession(user, parameters, backend, reader, send);
    }
  } catch (error) {
    const refused = error instanceof LoginRefused ? error : undefined;
    const text = error instanceof Error ? error.message : String(error);
    if (refused) options.onRefused(user, refused.why);
    send(errorResponse('FATAL', refused?.code ?? '08P01', text));
  } finally {
    // Of the TLS layer where there is one: the socket below does not know what that has yet to write.
    stream.destroySoon();
  }
}

function notEncrypted(socket: Socket, parameters: ReadonlyMap<string, string>): LoginRefused {
  const user = parameters.get('user') ?? '';
  const database = parameters.get('database') ?? user;
  const host = socket.remoteAddress ?? '';
  const text = `no pg_hba.conf entry for host "${host}", user "${user}", database "${database}", no encryption`;
  return new LoginRefused('28000', text);
}
