import { request } from 'node:https';
import { assembleFetchedBundle } from './assemble-fetched-bundle.ts';
import type { CaBundle } from './ca-bundle.ts';
import { MAX_CA_PEM_BYTES } from './parse-ca-pem.ts';

const TIMEOUT_MS = 10_000;

export type FetchOptions = {
  readonly id: string;
  /** An https address. */
  readonly url: string;
  /** PEM of the CAs to trust for the connection, instead of Node's own list. */
  readonly ca?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ends the fetch early. */
  readonly signal: AbortSignal;
  /** For the whole fetch, milliseconds. Default: 10 s. */
  readonly timeoutMs?: number;
};

/**
 * Fetches one bundle. HTTPS, no redirects, 10 s in all, 2 MB at most, status 200 only, and every certificate read. The
 * media type is not looked at: AWS's is S3's default.
 *
 * @throws {Error} whose message names the address and says what was wrong
 */
export async function fetchCaBundle(options: FetchOptions): Promise<CaBundle> {
  const { id, url, now } = options;
  const pem = await fetchText(options);
  try {
    return assembleFetchedBundle(id, pem, now());
  } catch (error) {
    throw new Error(`${url} ${error instanceof Error ? error.message : 'cannot be read'}`, { cause: error });
  }
}

function fetchText({ url, ca, signal, timeoutMs = TIMEOUT_MS }: FetchOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timeout = AbortSignal.timeout(timeoutMs);
  const fail = (error: Error) => {
    const why = timeout.aborted ? `did not answer within ${timeoutMs / 1000} s` : `cannot be reached: ${error.message}`;
    reject(new Error(`${url} ${why}`, { cause: error }));
  };
  const outgoing = request(
    url,
    {
      headers: { accept: 'application/x-pem-file, */*;q=0.5', 'accept-encoding': 'identity' },
      signal: AbortSignal.any([signal, timeout]),
      agent: false,
      // Said here so that NODE_TLS_REJECT_UNAUTHORIZED=0, set for something else, does not reach it.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
    },
    (response) => {
      const refuse = (why: string) => {
        reject(new Error(`${url} ${why}`));
        response.destroy();
      };
      response.on('error', fail);
      if (response.statusCode !== 200) return refuse(`answered ${response.statusCode}`);
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_CA_PEM_BYTES) refuse(`answered more than ${MAX_CA_PEM_BYTES} bytes`);
        else chunks.push(chunk);
      });
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      response.on('close', () => reject(new Error(`${url} ended its answer early`)));
    },
  );
  outgoing.on('error', fail);
  outgoing.end();
  return promise;
}
