import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Issued } from '../../demo/certificate-authority.ts';

/** A local HTTPS server: its origin, the paths it was asked for, and how to end it, connections included. */
export type HttpsServer = {
  readonly origin: string;
  readonly paths: string[];
  close(): Promise<void>;
};

/** Starts it on a free port of 127.0.0.1. */
export async function startHttpsServer(
  { certPem, keyPem }: Issued,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpsServer> {
  const paths: string[] = [];
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    paths.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `https://localhost:${address.port}`,
    paths,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
