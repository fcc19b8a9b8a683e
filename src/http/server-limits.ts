import type { Duplex } from 'node:stream';
import { transportProblem } from './problem.ts';

/** Node checks its timeouts this often, milliseconds: slow clients are cut at most this much late. */
const CHECK_INTERVAL_MS = 1000;

/**
 * Limits that hold before any of our code runs. Fastify sets no request timeout by itself, so that a half-sent body
 * would keep its connection for ever. Sizes in bytes, times in milliseconds.
 */
export const SERVER_LIMITS = {
  bodyLimit: 16 * 1024,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  http: {
    // Room for a JWT of 16 KiB and what proxies add.
    maxHeaderSize: 32 * 1024,
    headersTimeout: 5000,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  },
  routerOptions: { maxParamLength: 255 },
} as const;

/** Answers, in a problem document, a request that Node's HTTP parser gave up on, and ends the connection. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Duplex,
  onTransportError: (code: string) => void,
): void {
  const code = error.code ?? 'unknown';
  onTransportError(code);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { problem, headers } = transportProblem(code);
  const body = JSON.stringify(problem);
  const lines = {
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head.join('')}\r\n${body}`);
}
