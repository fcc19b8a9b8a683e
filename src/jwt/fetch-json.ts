import { isUtf8 } from 'node:buffer';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** The largest answer that is read, bytes: some hundred keys. */
export const MAX_ANSWER_BYTES = 100 * 1024;
/** In chunks of a byte each even 100 KiB would make megabytes of garbage. */
const MAX_PIECES = 10_000;

export type FetchOptions = {
  /** PEM of the CAs to trust for https instead of Node's own list. */
  readonly ca: string | undefined;
  /** Sent as `Authorization: Bearer` (RFC 6750 §2.1). */
  readonly bearerToken: string | undefined;
  /** How long all of it may take, milliseconds. */
  readonly timeoutMs: number;
};

/**
 * Fetches one JSON document as text, from an address the operator configured or an issuer's discovery named. No
 * redirects, no compression, 100 KiB at most, status 200 and a JSON media type only: an error page is never taken for
 * keys, and what is held is the same whatever is sent.
 *
 * @throws {Error} whose message says what was wrong with the answer; of the address it has no query
 */
export function fetchJson(url: string, { ca, bearerToken, timeoutMs }: FetchOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { protocol, origin, pathname } = new URL(url);
  const request = protocol === 'https:' ? requestHttps : requestHttp;
  const headers = {
    accept: 'application/json, application/jwk-set+json',
    'accept-encoding': 'identity',
    // A cache on the way would answer with the keys from before a rotation.
    'cache-control': 'no-cache',
    ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
  };
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch verification off.
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const outgoing = request(url, { headers, agent: false, ...tls });
  const give = (settle: () => void) => {
    clearTimeout(timer);
    settle();
    outgoing.destroy();
  };
  const refuse = (why: string) => give(() => reject(new Error(`${origin}${pathname} ${why}`)));
  const timer = setTimeout(() => refuse('did not answer within 5 s'), timeoutMs);
  outgoing.on('error', (error) => refuse(`cannot be reached: ${describe(error)}`));
  outgoing.on('response', (response) => {
    response.on('error', (error) => refuse(`broke off its answer: ${describe(error)}`));
    response.on('close', () => refuse('ended its answer early'));
    const why = whyRefused(response);
    if (why !== undefined) return refuse(why);
    readBody(response, (read) => {
      if (typeof read === 'string') refuse(read);
      else give(() => resolve(read.toString('utf8')));
    });
  });
  outgoing.end();
  return promise;
}

/** Judges an answer by its head, before any of its body is read. */
function whyRefused({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode !== 200) return `answered ${statusCode}`;
  const type = headers['content-type'] ?? '';
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) return 'answered with something other than JSON';
  // We asked for none: a few bytes that unpack to gigabytes are never unpacked.
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity') return 'answered with an encoded body (Content-Encoding)';
  if (Number(headers['content-length'] ?? 0) > MAX_ANSWER_BYTES) return TOO_LARGE;
  return undefined;
}

const TOO_LARGE = `answered more than ${MAX_ANSWER_BYTES} bytes`;

/** Gives the body, or one phrase that says why it is refused. */
function readBody(response: IncomingMessage, done: (read: Buffer | string) => void): void {
  // One buffer, because each kept chunk would cost a hundred bytes and more, however small it is.
  const body = Buffer.alloc(MAX_ANSWER_BYTES);
  let size = 0;
  let pieces = 0;
  response.on('data', (chunk: Buffer) => {
    pieces++;
    if (size + chunk.length > MAX_ANSWER_BYTES) return done(TOO_LARGE);
    if (pieces > MAX_PIECES) return done(`answered in more than ${MAX_PIECES} pieces`);
    size += chunk.copy(body, size);
  });
  response.on('end', () => {
    const text = body.subarray(0, size);
    done(isUtf8(text) ? text : 'answered with text that is not UTF-8');
  });
}

/** Of a host with several addresses the message is empty, and the code is that of all. */
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unknown failure';
}
