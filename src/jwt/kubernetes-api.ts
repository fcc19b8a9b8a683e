import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';

export type KubernetesApiOptions = {
  /** The address of the API server, without a slash at its end. */
  readonly apiServer: string;
  /** The service's own token. The kubelet replaces it while we run, so it is read for every request. */
  readonly tokenFile: string;
  /** PEM of the CAs to trust for https, and no others. Read for every request too. */
  readonly caFile: string;
  /** Connections at most. */
  readonly connections: number;
  /** For a whole request. */
  readonly timeoutMs: number;
};

/**
 * Creates one object and gives the answer.
 *
 * @throws {Error} whose message says what was wrong, and quotes nothing that was sent
 */
export type CreateObject = (path: string, object: JsonValue) => Promise<JsonValue>;

/** A TokenReview repeats the token, of 16 KiB at most, beside the user's groups. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Idle connections end by themselves, and before the API server ends them, which would race with the next request. */
const IDLE_MS = 30_000;

/**
 * Creates a client of a Kubernetes API server. Connections are kept and used again: another CA means another connection
 * (the agent keys them by it), so that nothing is sent to a server that is no longer trusted.
 */
export function createKubernetesApi(options: KubernetesApiOptions): CreateObject {
  const { apiServer, tokenFile, caFile, connections, timeoutMs } = options;
  const secure = apiServer.startsWith('https:');
  const agentOptions = { keepAlive: true, maxSockets: connections, timeout: IDLE_MS };
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);

  function send(path: string, body: string, { token, ca }: Own, signal: AbortSignal, over: HttpAgent | false) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const request = secure ? requestHttps : requestHttp;
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch verification off.
    const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
    const all = { method: 'POST', headers, agent: over, signal, ...tls };
    const outgoing = request(`${apiServer}${path}`, all, (response) => {
      readAnswer(response).then(resolve, reject);
    });
    outgoing.on('error', (error) => reject(outgoing.reusedSocket ? new StaleConnection(error) : error));
    outgoing.end(body);
    return promise;
  }

  return async (path, object) => {
    const [token, ca] = await Promise.all([readToken(tokenFile), secure ? readCa(caFile) : undefined]);
    const body = JSON.stringify(object);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      // An API server that restarts closes connections while we write to them; to create a review twice does no harm.
      const answer = await send(path, body, { token, ca }, signal, agent).catch((error: unknown) => {
        if (!(error instanceof StaleConnection)) throw error;
        return send(path, body, { token, ca }, signal, false);
      });
      return parseStrictJson(answer);
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'failed';
      const why = signal.aborted ? `did not answer within ${timeoutMs / 1000} s` : failure;
      throw new Error(`${apiServer} ${why}`, { cause: error });
    }
  };
}

/** The service's token, and whom it trusts. */
type Own = { readonly token: string; readonly ca: string | undefined };

/** A connection that was kept, and closed by the other side before an answer came. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`${file} holds no token`);
  return token;
}

async function readCa(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8');
  // Node takes an empty list for no list, and would trust the system's CAs.
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${file} holds no certificate`);
  return pem;
}

/** What the operator can do about the two answers that a cluster gives to a service it was not told of. */
const HINTS: Readonly<Record<number, string>> = {
  401: ": it does not accept the service's own token",
  403: ": the service's own account may not create tokenreviews (see the role system:auth-delegator)",
};

async function readAnswer(response: IncomingMessage): Promise<string> {
  const { statusCode = 0, headers } = response;
  const type = headers['content-type'] ?? '';
  try {
    if (statusCode !== 200 && statusCode !== 201) throw new Error(`answered ${statusCode}${HINTS[statusCode] ?? ''}`);
    if (!/^application\/json\s*(;|$)/i.test(type)) throw new Error('answered with something other than JSON');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      if (!(chunk instanceof Buffer)) continue;
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new Error(`answered more than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    // What is not read to its end would block the connection for the next request.
    if (!response.complete) response.destroy();
  }
}
