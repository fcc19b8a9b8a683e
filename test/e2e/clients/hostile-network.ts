import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Database } from './recipes.ts';

/** A change of what the service answers, by the first part of the path: `http://…/altered-token/v1/tokens`. */
export type Change = (body: string) => string;

/** Forwards to the service whose name is the first part of the path and changes its answers as the second one says. */
export async function startChangingProxy(
  services: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, { readonly ask?: Change; readonly answer?: Change }>>,
) {
  const server = createHttpServer((incoming, response) => {
    void (async () => {
      const [, service = '', change = '', ...rest] = (incoming.url ?? '').split('/');
      const { ask = same, answer = same } = changes[change] ?? {};
      const body = ask(await text(incoming));
      const { host: _, 'content-length': __, 'transfer-encoding': ___, ...headers } = incoming.headers;
      const url = `${services[service]}/${rest.join('/')}`;
      const onward = request(url, { method: incoming.method, headers: { ...headers, 'content-length': body.length } });
      onward.end(body);
      const answered = await new Promise<IncomingMessage>((resolve, reject) => {
        onward.once('response', resolve).once('error', reject);
      });
      const changed = Buffer.from(answer(await text(answered)));
      const { 'content-length': ____, ...answerHeaders } = answered.headers;
      response
        .writeHead(answered.statusCode ?? 502, { ...answerHeaders, 'content-length': changed.length })
        .end(changed);
    })().catch(() => response.destroy());
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, close: () => close(server) };
}

const same: Change = (body) => body;

/** A network that hides the server's TLS: what a client that does not insist on it sends in clear is kept. */
export type StrippingProxy = { readonly port: number; readonly seen: () => string; close(): Promise<void> };

export async function startStrippingProxy(database: Database, port: number): Promise<StrippingProxy> {
  const seen: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.on('data', (bytes: Buffer) => seen.push(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    if (database === 'PostgreSQL') stripPostgres(client, upstream);
    else stripMysql(client, upstream);
  });
  return { port: await listen(server), seen: () => Buffer.concat(seen).toString('latin1'), close: () => close(server) };
}

/** Answers SSLRequest and GSSENCRequest with "N", for no. */
function stripPostgres(client: Socket, upstream: Socket): void {
  client.on('data', (bytes: Buffer) => {
    const asksEncryption = bytes.length === 8 && [80877103, 80877104].includes(bytes.readInt32BE(4));
    if (asksEncryption) client.write('N');
    else upstream.write(bytes);
  });
  upstream.pipe(client);
}

/** Takes CLIENT_SSL out of the capabilities that the server's greeting names. */
function stripMysql(client: Socket, upstream: Socket): void {
  upstream.once('data', (greeting: Buffer) => {
    // 4 bytes of header, 1 of protocol, the version up to NUL, 4 of thread id, 8 of salt, 1 of filler.
    const capabilities = greeting.indexOf(0, 5) + 1 + 4 + 8 + 1;
    greeting.writeUInt16LE(greeting.readUInt16LE(capabilities) & ~0x0800, capabilities);
    client.write(greeting);
    upstream.pipe(client);
    client.pipe(upstream);
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  return address.port;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
