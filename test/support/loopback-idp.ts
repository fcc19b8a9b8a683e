import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { listen, portOf } from '../../demo/listen.ts';
import { type IdpFault, sendJson } from './idp-faults.ts';
import { keySetText } from './test-issuer.ts';

/** An identity provider of real issuers on a loopback port: each has a discovery document and a key set. */
export type LoopbackIdp = {
  readonly origin: string;
  /** The `iss` of one of its issuers. It has any. */
  issuer(name: string): string;
  /** Has an issuer publish another key set. Until then it is `keySetText()`. */
  publish(name: string, keySet: string): void;
  /** Has an issuer answer wrongly at one of its addresses; null mends it. */
  breakAt(name: string, place: Place, fault: IdpFault | null): void;
  /** Every request, `/issuer/keys` or `/issuer/discovery`, in order. */
  readonly asked: { readonly path: string; readonly at: number; readonly request: IncomingMessage }[];
  /** How often an issuer's key set or discovery was asked for. */
  count(name: string, place: Place): number;
  /** Closes the port; connections to it are refused. */
  close(): Promise<void>;
  /** Opens the same port again. */
  open(): Promise<void>;
};

export type Place = 'keys' | 'discovery';

export type IdpOptions = {
  /** PEM of its certificate: https instead of http. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where its redirects lead. */
  readonly elsewhere?: string;
  readonly port?: number;
};

export async function openIdp({ tls, elsewhere = '', port = 0 }: IdpOptions = {}): Promise<LoopbackIdp> {
  const keySets = new Map<string, string>();
  const faults = new Map<string, IdpFault>();
  const asked: LoopbackIdp['asked'] = [];
  let at = port;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const [, name = '', ...rest] = (request.url ?? '').split('/');
    const place = rest.join('/').replace('.well-known/openid-configuration', 'discovery');
    const path = `/${name}/${place}`;
    asked.push({ path, at: Date.now(), request });
    const fault = faults.get(path);
    if (fault) return fault.answer(response, { issuer: issuer(name), elsewhere });
    if (place === 'discovery') {
      return sendJson(response, JSON.stringify({ issuer: issuer(name), jwks_uri: `${issuer(name)}/keys` }));
    }
    const type = { 'content-type': 'application/jwk-set+json; charset=utf-8' };
    sendJson(response, keySets.get(name) ?? keySetText(), type);
  }

  const server = tls ? createHttpsServer(tls, answer) : createHttpServer(answer);
  server.on('clientError', (_error, socket) => socket.destroy());
  const open = async () => {
    await listen(server, at);
    at = portOf(server);
  };
  await open();
  const origin = `${tls ? 'https' : 'http'}://localhost:${at}`;
  const issuer = (name: string) => `${origin}/${name}`;
  return {
    origin,
    issuer,
    asked,
    publish: (name, keySet) => void keySets.set(name, keySet),
    breakAt(name, place, fault) {
      if (fault) faults.set(`/${name}/${place}`, fault);
      else faults.delete(`/${name}/${place}`);
    },
    count: (name, place) => asked.filter(({ path }) => path === `/${name}/${place}`).length,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    open,
  };
}
