import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** One request, over HTTPS. */
export async function askOverTls(options: RequestOptions): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, body: Buffer.concat(chunks).toString() });
    });
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}

/** A secured connection, as the client sees it: in TLS 1.3 the server may still refuse it. */
export async function secured(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect(options);
  await once(socket, 'secureConnect');
  return socket;
}

/** What a later connection resumes with. TLS 1.3 sends it after the handshake. */
export async function sessionOf(socket: TLSSocket): Promise<Buffer | undefined> {
  if (socket.getProtocol() !== 'TLSv1.3') return socket.getSession();
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  socket.once('session', resolve);
  return promise;
}

/** Everything that comes until the connection ends. */
export async function everything(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', () => resolve(text));
  return promise;
}
