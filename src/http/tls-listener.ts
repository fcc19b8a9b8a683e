import { createHash, type X509Certificate } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SERVER_LIMITS } from './server-limits.ts';
import type { TlsContext } from './tls-options.ts';

/** The TLS side of the public port. */
export type TlsListener = {
  /** Fastify's `serverFactory`. */
  createServer(handler: RequestListener): Server;
  /**
   * Connections from now on are made with this. Those that are open stay, but when a client CA is withdrawn, those with a
   * client certificate end with their next answer.
   *
   * @throws {Error} when certificates are to be asked for in another way than at the start
   */
  replace(context: TlsContext): void;
  /** SHA-256 of the verified client certificate of a connection, base64url; null without one. */
  thumbprintOf(socket: Socket): string | null;
  /** Whether a connection's certificate has ceased to be good since it was verified. */
  isOutdated(socket: Socket): boolean;
};

export type TlsListenerOptions = {
  readonly context: TlsContext;
  readonly now: () => number;
  /** A handshake failed: `tls`, or `ECONNRESET` where the client just went away. */
  readonly onTransportError: (code: string) => void;
  /** Why handshakes fail, for the log: OpenSSL's or Node's word, each at most once a minute. */
  readonly onHandshakeFailed: (reason: string, address: string | undefined) => void;
};

/** Node waits for two minutes. Milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const SAME_REASON_MS = 60_000;

type ClientCertificate = {
  readonly thumbprint: string;
  readonly notAfter: number;
  readonly verifiedAt: number;
};

/**
 * Makes the listener. A client certificate that does not verify ends its connection before a byte of HTTP is read, also
 * where certificates are optional: a client that means to prove who it is, and cannot, is never served as nobody.
 */
export function createTlsListener(options: TlsListenerOptions): TlsListener {
  const { now, onTransportError, onHandshakeFailed } = options;
  const { clientCertificates } = options.context;
  const servers: ReturnType<typeof createServer>[] = [];
  const certificates = new WeakMap<Socket, ClientCertificate>();
  const told = new Map<string, number>();
  let inForce = options.context;
  let caWithdrawnAt = Number.NEGATIVE_INFINITY;

  function fail(socket: TLSSocket, code: string): void {
    const { remoteAddress } = socket;
    // Set by Node where a certificate was sent, or had to be.
    const reason = socket.authorizationError ? String(socket.authorizationError) : code;
    socket.destroy();
    onTransportError(reason === 'ECONNRESET' ? reason : 'tls');
    if (reason === 'ECONNRESET' || now() - (told.get(reason) ?? Number.NEGATIVE_INFINITY) < SAME_REASON_MS) return;
    told.set(reason, now());
    onHandshakeFailed(reason, remoteAddress);
  }

  function admit(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) {
      if (clientCertificates === 'required') fail(socket, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
      return;
    }
    if (!socket.authorized) return fail(socket, 'CERT_REJECTED');
    const thumbprint = thumbprintOfCertificate(certificate);
    certificates.set(socket, { thumbprint, notAfter: certificate.validToDate.getTime(), verifiedAt: now() });
  }

  return {
    createServer(handler) {
      const { http, keepAliveTimeout, requestTimeout } = SERVER_LIMITS;
      const server = createServer(
        {
          ...inForce.options,
          ...http,
          keepAliveTimeout,
          requestTimeout,
          handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
          ALPNProtocols: ['http/1.1'],
          requestCert: clientCertificates !== 'none',
          // Where none is needed, Node would have those without one be rejected too: `admit` tells them apart.
          rejectUnauthorized: clientCertificates === 'required',
        },
        handler,
      );
      // Node's own would write an HTTP answer into a connection that has no TLS.
      server.removeAllListeners('tlsClientError');
      server.on('tlsClientError', (error: Error & { code?: string }, socket) => fail(socket, error.code ?? error.name));
      // Before HTTP's own, which reads requests.
      server.prependListener('secureConnection', admit);
      servers.push(server);
      return server;
    },
    replace(context) {
      if (context.clientCertificates !== clientCertificates) {
        throw new Error('A changed way of asking for client certificates needs a restart of the service.');
      }
      for (const server of servers) server.setSecureContext(context.options);
      if (inForce.clientCas.some((ca) => !context.clientCas.includes(ca))) caWithdrawnAt = now();
      inForce = context;
    },
    thumbprintOf: (socket) => certificates.get(socket)?.thumbprint ?? null,
    isOutdated(socket) {
      const certificate = certificates.get(socket);
      if (certificate === undefined) return false;
      // A handshake that was under way when a CA was withdrawn has ended this much later at the most.
      return now() >= certificate.notAfter || certificate.verifiedAt < caWithdrawnAt + HANDSHAKE_TIMEOUT_MS;
    },
  };
}

/** `x5t#S256` of a certificate: SHA-256 over its DER, base64url without padding (RFC 8705 §3.1). */
export function thumbprintOfCertificate({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('base64url');
}
