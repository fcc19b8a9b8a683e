import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { json } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { type LocalCa, makeCa } from '../../demo/certificate-authority.ts';
import { listen, portOf } from '../../demo/listen.ts';

/** What a cluster knows of one token. */
export type KnownToken = { readonly username: string; readonly audiences: readonly string[] };

type Answer = (request: IncomingMessage, response: ServerResponse, body: unknown) => void;

/**
 * A look-alike of a Kubernetes API server: HTTPS by a CA of its own, and `tokenreviews` alone, answered with the bytes
 * that kube-apiserver 1.33 answers with.
 */
export type ApiServer = {
  readonly url: string;
  readonly ca: LocalCa;
  readonly caFile: string;
  readonly tokenFile: string;
  /** The tokens that hold; whatever is deleted from it is refused from then on. */
  readonly tokens: Map<string, KnownToken>;
  /** The tokens of those who may ask. */
  readonly reviewers: Set<string>;
  /** Every request for a review that came, with the token it was sent with. */
  readonly asked: { readonly authorization: string | undefined; readonly body: unknown }[];
  /** Connections that were made. */
  readonly connections: TLSSocket[];
  /** Answers instead of the look-alike, until it is undefined again. */
  instead: Answer | undefined;
  restart(): void;
};

export const OWN_TOKEN = 'own-token-1';

export async function startApiServer(
  t: TestContext,
  names: Parameters<LocalCa['issue']>[0] = { dnsNames: ['localhost'], ips: ['127.0.0.1'] },
): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-api-server-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ca = await makeCa('kubernetes');
  const { certPem, keyPem } = await ca.issue(names);
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
  writeFileSync(caFile, ca.certPem);
  writeFileSync(tokenFile, `${OWN_TOKEN}\n`);
  const server = createServer({ cert: certPem, key: keyPem });
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  const cluster: ApiServer = {
    url: `https://127.0.0.1:${portOf(server)}`,
    ...{ ca, caFile, tokenFile },
    tokens: new Map(),
    reviewers: new Set([OWN_TOKEN]),
    asked: [],
    connections: [],
    instead: undefined,
    restart: () => server.closeAllConnections(),
  };
  server.on('secureConnection', (socket) => cluster.connections.push(socket));
  server.on('request', async (request, response) => {
    const body = await json(request);
    cluster.asked.push({ authorization: request.headers.authorization, body });
    (cluster.instead ?? answerAs(cluster))(request, response, body);
  });
  return cluster;
}

/** kube-apiserver: who asks (401), whether it may (403), then the review. */
function answerAs({ tokens, reviewers }: ApiServer): Answer {
  return ({ method, url, headers }, response, body) => {
    const reviewer = headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (method !== 'POST' || url !== '/apis/authentication.k8s.io/v1/tokenreviews')
      return send(response, 404, failure(404));
    if (!reviewers.has(reviewer)) return send(response, 401, failure(401));
    send(response, 201, reviewOf(tokens, body));
  };
}

export function send(response: ServerResponse, status: number, answer: object, type = 'application/json'): void {
  response
    .writeHead(status, { 'content-type': type, 'cache-control': 'no-cache, private' })
    .end(JSON.stringify(answer));
}

/** Of kind Status, as for every request that an API server does not carry out. */
export function failure(code: number): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'x',
    code,
  };
}

function reviewOf(tokens: ReadonlyMap<string, KnownToken>, body: unknown): object {
  const { token, audiences } = specOf(body);
  const known = tokens.get(token);
  const common = known?.audiences.filter((audience) => audiences.includes(audience)) ?? [];
  if (known && common.length > 0) return review(body, accepted(known.username, common));
  const why = known
    ? `token audiences ${JSON.stringify(known.audiences)} is invalid for the target audiences ${JSON.stringify(audiences)}`
    : 'service account token has been invalidated';
  // `authenticated` is left out when it is false: it is `omitempty` in Go.
  return review(body, { user: {}, error: `[invalid bearer token, ${why}]` });
}

function specOf(body: unknown): { token: string; audiences: readonly string[] } {
  const { spec }: { spec: { token: string; audiences: string[] } } = JSON.parse(JSON.stringify(body));
  return spec;
}

/** A TokenReview with a status, with its request repeated. */
export function review(request: unknown, status: object): object {
  return { ...JSON.parse(JSON.stringify(request)), metadata: { creationTimestamp: null }, status };
}

/** The status of a token that holds. */
export function accepted(username: string, audiences: readonly string[]): object {
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:payments', 'system:authenticated'];
  const extra = {
    'authentication.kubernetes.io/credential-id': ['JTI=7ee52be0-9045-4653-aa5e-0da57b8dccdc'],
    'authentication.kubernetes.io/pod-name': ['api-69cbfb9798-jv9gn'],
    'authentication.kubernetes.io/pod-uid': ['778a530c-b3f4-47c0-9cd5-ab018fb64f33'],
  };
  return { authenticated: true, user: { username, uid: 'a087d5a0', groups, extra }, audiences };
}
