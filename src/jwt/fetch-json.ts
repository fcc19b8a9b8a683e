import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** The largest answer that is read, bytes: some hundred keys. */
export const MAX_ANSWER_BYTES = 100 * 1024;
const TIMEOUT_MS = 5_000;

/**
 * Fetches one JSON document as text, from an address the operator configured or an issuer's discovery named. No
 * redirects, 5 s in all, 100 KiB at most, status 200 and a JSON media type only: an error page is never taken for keys.
 *
 * @param ca PEM of the CAs to trust for https instead of Node's own list
 * @throws {Error} whose message says what was wrong with the answer
 */
export function fetchJson(url: string, ca: string | undefined): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { accept: 'application/json, application/jwk-set+json', 'accept-encoding': 'identity' };
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch verification off.
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const outgoing = request(url, { headers, signal, agent: false, ...tls }, (response) => {
    const refuse = (why: string) => {
      reject(new Error(`${url} ${why}`));
      response.destroy();
    };
    response.on('error', reject);
    if (response.statusCode !== 200) return refuse(`answered ${response.statusCode}`);
    const type = response.headers['content-type'] ?? '';
    if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) return refuse('answered with something other than JSON');
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) refuse(`answered more than ${MAX_ANSWER_BYTES} bytes`);
      else chunks.push(chunk);
    });
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    response.on('close', () => reject(new Error(`${url} ended its answer early`)));
  });
  outgoing.on('error', (error) => {
    const why = signal.aborted ? 'did not answer within 5 s' : `cannot be reached: ${error.message}`;
    reject(new Error(`${url} ${why}`, { cause: error }));
  });
  outgoing.end();
  return promise;
}
