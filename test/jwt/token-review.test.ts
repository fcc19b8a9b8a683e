import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../src/issuance/fault.ts';
import { createTokenReview, openTokenReview } from '../../src/jwt/token-review.ts';
import { makeCa } from '../../demo/certificate-authority.ts';
import { accepted, type ApiServer, failure, OWN_TOKEN, review, send, startApiServer } from '../support/api-server.ts';
import { loadText, VALID } from '../support/config-file.ts';
import { eventually } from '../support/eventually.ts';

const API = 'system:serviceaccount:payments:api';
const TOKEN = 'aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl';
const AUDIENCES = ['vendor', 'vendor-old'];

/** A cluster that knows the token of the payments API, and a reviewer of it. */
async function start(
  t: TestContext,
  changes: { readonly apiServer?: string } = {},
  names?: Parameters<typeof startApiServer>[1],
) {
  const cluster = await startApiServer(t, names);
  cluster.tokens.set(TOKEN, { username: API, audiences: ['vendor', 'other'] });
  const { url: apiServer, caFile, tokenFile } = cluster;
  const ask = createTokenReview({ issuer: 'cluster', audiences: AUDIENCES, apiServer, caFile, tokenFile, ...changes });
  return { cluster, ask: (token = TOKEN, subject = API) => ask(token, subject) };
}

/** The message of the fault that must be thrown; it never holds a token. */
async function faultOf(asking: Promise<unknown>): Promise<string> {
  const fault = await asking.then(
    (answer) => answer,
    (error: unknown) => error,
  );
  assert.ok(fault instanceof Fault && fault.code === 'token_review_unavailable', String(fault));
  assert.ok(!fault.message.includes('c2lnbmF0dXJl') && !fault.message.includes(OWN_TOKEN), fault.message);
  return fault.message;
}

test('a token that holds is accepted, and the cluster is asked as its API documents it', async (t) => {
  const { cluster, ask } = await start(t);
  assert.equal(await ask(), undefined);
  assert.deepEqual(cluster.asked, [
    {
      authorization: `Bearer ${OWN_TOKEN}`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: TOKEN, audiences: AUDIENCES },
      },
    },
  ]);
});

test('the token of a deleted pod is refused at the next request, and no answer before it helps', async (t) => {
  const { cluster, ask } = await start(t);
  assert.equal(await ask(), undefined);
  cluster.tokens.delete(TOKEN);
  assert.equal(
    await ask(),
    'the cluster refuses it: [invalid bearer token, service account token has been invalidated]',
  );
  cluster.tokens.set(TOKEN, { username: API, audiences: ['vendor'] });
  assert.equal(await ask(), undefined);
  assert.equal(cluster.asked.length, 3);
});

const status = (made: object) => (_: IncomingMessage, response: ServerResponse, body: unknown) =>
  send(response, 201, review(body, made));

const REFUSED: readonly [what: string, status: object, why: string][] = [
  ['not authenticated', { user: {} }, 'the cluster does not accept it'],
  ['authenticated: false', { authenticated: false, user: { username: API } }, 'the cluster does not accept it'],
  [
    'an error although authenticated',
    { ...accepted(API, ['vendor']), error: 'lookup failed' },
    'the cluster refuses it: lookup failed',
  ],
  [
    'another account of the namespace',
    accepted('system:serviceaccount:payments:admin', ['vendor']),
    'the cluster knows it as another user than its sub',
  ],
  [
    'a user whose name begins the same',
    accepted(`${API}-2`, ['vendor']),
    'the cluster knows it as another user than its sub',
  ],
  ['no user', { authenticated: true, audiences: ['vendor'] }, 'the cluster knows it as another user than its sub'],
  [
    'an error that is long and has line breaks',
    { user: {}, error: `a\nb${'c'.repeat(1000)}` },
    `the cluster refuses it: a?b${'c'.repeat(197)}`,
  ],
  [
    'an error that repeats one part of the token',
    { user: {}, error: `no ${TOKEN.split('.')[2]}` },
    'the cluster refuses it: its words repeat the token',
  ],
  [
    'an error that repeats the token',
    { user: {}, error: `no ${TOKEN}` },
    'the cluster refuses it: its words repeat the token',
  ],
];
for (const [what, made, why] of REFUSED) {
  test(`a token is refused when the answer says ${what}`, async (t) => {
    const { cluster, ask } = await start(t);
    cluster.instead = status(made);
    assert.equal(await ask(), why);
  });
}

const good = accepted(API, ['vendor']);
const raw =
  (text: string, code = 201, headers = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(text);

const FAULTS: readonly [what: string, instead: NonNullable<ApiServer['instead']>, why: RegExp][] = [
  ['authenticated as a text', status({ ...good, authenticated: 'true' }), /not of the documented form/],
  ['authenticated as a number', status({ ...good, authenticated: 1 }), /not of the documented form/],
  ['authenticated null', status({ ...good, authenticated: null }), /not of the documented form/],
  ['an error that is no text', status({ ...good, error: { a: 1 } }), /not of the documented form/],
  ['audiences that are no list', status({ ...good, audiences: 'vendor' }), /not of the documented form/],
  ['no audiences', status({ authenticated: true, user: { username: API } }), /names none of our audiences/],
  ['no audience of ours', status(accepted(API, ['other'])), /names none of our audiences/],
  ['an audience that contains ours', status(accepted(API, ['vendor-2'])), /names none of our audiences/],
  ['a list in the audiences', status({ ...good, audiences: [['vendor']] }), /names none of our audiences/],
  ['no status', raw('{"kind":"TokenReview"}'), /no TokenReview with a status/],
  ['a status that is a list', raw('{"kind":"TokenReview","status":[]}'), /no TokenReview with a status/],
  ['another kind', raw('{"kind":"SubjectAccessReview","status":{"allowed":true}}'), /no TokenReview with a status/],
  ['a list', raw('[]'), /no TokenReview with a status/],
  ['null', raw('null'), /no TokenReview with a status/],
  ['nothing', raw(''), /not valid JSON/],
  ['half of the JSON', raw('{"kind":"TokenReview","status":{"authenticated":true'), /not valid JSON/],
  [
    'a key twice',
    raw('{"kind":"TokenReview","status":{"authenticated":false,"authenticated":true}}'),
    /the same key twice/,
  ],
  ['a compressed body', raw('\x1f\x8b', 201, { 'content-encoding': 'gzip' }), /not valid JSON/],
  ['HTML', raw('<h1>Sign in</h1>', 200, { 'content-type': 'text/html' }), /something other than JSON/],
  ['no media type', raw('{}', 201, { 'content-type': '' }), /something other than JSON/],
  ['a redirect', raw('', 307, { location: 'https://127.0.0.1:1/' }), /answered 307/],
  [
    '401',
    (_, response) => send(response, 401, failure(401)),
    /answered 401: it does not accept the service's own token/,
  ],
  [
    '403',
    (_, response) => send(response, 403, failure(403)),
    /answered 403: the service's own account may not create tokenreviews/,
  ],
  ['404', (_, response) => send(response, 404, failure(404)), /answered 404/],
  ['429', (_, response) => send(response, 429, failure(429)), /answered 429/],
  ['500', (_, response) => send(response, 500, failure(500)), /answered 500/],
  ['204', raw('', 204), /answered 204/],
  [
    'more than 64 KiB',
    (_, response, body) => send(response, 201, review(body, { ...good, x: 'x'.repeat(65 * 1024) })),
    /answered more than 65536 bytes/,
  ],
  ['the end of the connection', (request) => request.socket.destroy(), /socket hang up/],
  [
    'the end in the middle',
    (request, response) => {
      response
        .writeHead(201, { 'content-type': 'application/json', 'content-length': '100' })
        .write('{', () => request.socket.destroy());
    },
    /aborted/,
  ],
];
for (const [what, instead, why] of FAULTS) {
  test(`an API server that answers with ${what} is our inability, and the next answer counts again`, async (t) => {
    const { cluster, ask } = await start(t);
    cluster.instead = instead;
    assert.match(await faultOf(ask()), why);
    cluster.instead = undefined;
    assert.equal(await ask(), undefined);
  });
}

test('an answer without an end is cut: not more than 64 KiB are read of it', async (t) => {
  const { cluster, ask } = await start(t);
  let written = 0;
  cluster.instead = (_, response) => {
    response.writeHead(201, { 'content-type': 'application/json' });
    const more = (): void => {
      while (!response.destroyed && response.write(' '.repeat(16 * 1024))) written += 16 * 1024;
    };
    response.on('drain', more);
    more();
  };
  assert.match(await faultOf(ask()), /answered more than 65536 bytes/);
  assert.ok(written < 32 * 1024 * 1024, String(written));
});

test('an API server that hangs, before, within or after the head of its answer, is given up after 2 s', async (t) => {
  const drips = async (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(201, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 200);
    response.on('close', () => clearInterval(timer));
  };
  const hangs: NonNullable<ApiServer['instead']>[] = [
    () => {},
    (request) => request.socket.write('HTTP/1.1 201 Created\r\ncontent-ty'),
    (_, response) => response.writeHead(201, { 'content-type': 'application/json' }).flushHeaders(),
    drips,
  ];
  await Promise.all(
    hangs.map(async (instead) => {
      const { cluster, ask } = await start(t);
      cluster.instead = instead;
      const begun = performance.now();
      assert.match(await faultOf(ask()), /did not answer within 2 s/);
      const took = performance.now() - begun;
      assert.ok(took > 1_900 && took < 10_000, String(took));
    }),
  );
});

test('an API server that is not there is our inability', async (t) => {
  const { ask } = await start(t, { apiServer: 'https://127.0.0.1:1' });
  assert.match(await faultOf(ask()), /^the cluster of issuer cluster cannot review tokens: .*ECONNREFUSED/);
});

test("no other CA is trusted, a changed one from the next request on, and an empty file is not the system's", async (t) => {
  const { cluster, ask } = await start(t);
  const { caFile, ca } = cluster;
  assert.equal(await ask(), undefined);
  writeFileSync(caFile, (await makeCa('kubernetes')).certPem);
  assert.match(await faultOf(ask()), /certificate/);
  assert.equal(cluster.asked.length, 1);
  writeFileSync(caFile, ca.certPem);
  assert.equal(await ask(), undefined);
  writeFileSync(caFile, '');
  assert.match(await faultOf(ask()), /ca\.crt holds no certificate/);
  rmSync(caFile);
  assert.match(await faultOf(ask()), /ENOENT/);
  assert.equal(cluster.asked.length, 2);
});

test('a certificate for other names is not accepted', async (t) => {
  const { cluster, ask } = await start(t, {}, { dnsNames: ['localhost'], ips: ['127.0.0.2'] });
  assert.match(await faultOf(ask()), /IP: 127\.0\.0\.1 is not in the cert's list/);
  assert.equal(cluster.asked.length, 0);
});

test('the service sends its own token as it is at each request, and one without a token is not sent', async (t) => {
  const { cluster, ask } = await start(t);
  const { tokenFile, reviewers, asked } = cluster;
  assert.equal(await ask(), undefined);
  reviewers.clear();
  reviewers.add('own-token-2');
  assert.match(await faultOf(ask()), /answered 401/);
  writeFileSync(tokenFile, 'own-token-2');
  assert.equal(await ask(), undefined);
  assert.deepEqual(
    asked.map(({ authorization }) => authorization),
    [`Bearer ${OWN_TOKEN}`, `Bearer ${OWN_TOKEN}`, 'Bearer own-token-2'],
  );
  for (const text of ['', '\n', 'two words', 'a\nb']) {
    writeFileSync(tokenFile, text);
    assert.match(await faultOf(ask()), /token holds no token/);
  }
  rmSync(tokenFile);
  assert.match(await faultOf(ask()), /ENOENT/);
  assert.equal(asked.length, 3);
});

test('reviews use one connection again, and a new one when the API server has closed it', async (t) => {
  const { cluster, ask } = await start(t);
  for (let count = 0; count < 5; count++) assert.equal(await ask(), undefined);
  assert.equal(cluster.connections.length, 1);
  cluster.restart();
  for (let count = 0; count < 5; count++) assert.equal(await ask(), undefined);
  assert.equal(cluster.connections.length, 2);
});

test('a kept connection that ends when it is used again is replaced, once', async (t) => {
  const { cluster, ask } = await start(t);
  assert.equal(await ask(), undefined);
  const [first] = cluster.connections;
  cluster.instead = (request, response, body) => {
    if (request.socket === first) request.socket.destroy();
    else send(response, 201, review(body, good));
  };
  assert.equal(await ask(), undefined);
  cluster.instead = undefined;
  assert.equal(await ask(), undefined);
  cluster.instead = (request) => request.socket.destroy();
  const before = cluster.asked.length;
  assert.match(await faultOf(ask()), /socket hang up/);
  assert.equal(cluster.asked.length - before, 2);
});

test('when several kept connections end as they are used again, a fresh one is used', async (t) => {
  const { cluster, ask } = await start(t);
  const gate = Promise.withResolvers<void>();
  cluster.instead = (_, response, body) => void gate.promise.then(() => send(response, 201, review(body, good)));
  const kept = ['a.b.1', 'a.b.2', 'a.b.3'].map((token) => ask(token));
  gate.resolve();
  await Promise.all(kept);
  const stale = new Set(cluster.connections);
  assert.equal(stale.size, 3);
  cluster.instead = (request, response, body) => {
    if ([...stale].some((socket) => socket === request.socket)) request.socket.destroy();
    else send(response, 201, review(body, good));
  };
  assert.equal(await ask(), undefined);
});

test('an answer that is not read to its end leaves no connection behind', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.instead = (_, response) => {
    response.writeHead(500, { 'content-type': 'application/json', 'content-length': '1000000' }).write('{');
  };
  await faultOf(ask());
  const [connection] = cluster.connections;
  assert.ok(connection);
  // The end of the 2 s would cut it too.
  await eventually(async () => assert.ok(connection.destroyed), 1_000);
});

test('the same token asked about at the same time is one request, and each other token its own', async (t) => {
  const { cluster, ask } = await start(t);
  const gate = Promise.withResolvers<void>();
  cluster.instead = (_, response, body) => void gate.promise.then(() => send(response, 201, review(body, good)));
  const same = Array.from({ length: 50 }, () => ask());
  const others = [ask('a.b.c'), ask('d.e.f')];
  gate.resolve();
  assert.deepEqual(new Set(await Promise.all([...same, ...others])), new Set([undefined]));
  assert.equal(cluster.asked.length, 3);
});

test('those who share a review share its fault, and who comes after it does not', async (t) => {
  const { cluster, ask } = await start(t);
  cluster.instead = (request) => request.socket.destroy();
  const both = [ask(), ask()];
  for (const one of both) assert.match(await faultOf(one), /socket hang up/);
  assert.equal(cluster.asked.length, 1);
  cluster.instead = undefined;
  assert.equal(await ask(), undefined);
});

test('a hundred reviews are under way at most: one more is told to come again, and is not sent', async (t) => {
  const { cluster, ask } = await start(t);
  const gate = Promise.withResolvers<void>();
  cluster.instead = (_, response, body) => void gate.promise.then(() => send(response, 201, review(body, good)));
  const asking = Array.from({ length: 100 }, (_, at) => ask(`a.b.${at}`));
  await assert.rejects(ask('a.b.more'), {
    name: 'Fault',
    code: 'token_review_unavailable',
    message: '100 reviews by the cluster of issuer cluster are under way',
    retryAfterSeconds: 1,
  });
  const shared = ask('a.b.7');
  gate.resolve();
  assert.deepEqual(new Set(await Promise.all([...asking, shared])), new Set([undefined]));
  assert.equal(cluster.asked.length, 100);
  assert.equal(await ask('a.b.more'), undefined);
});

test('a review is opened where the configuration asks for one, of the API server that is named or of our own cluster', async (t) => {
  const { cluster } = await start(t);
  const { url, caFile, tokenFile } = cluster;
  const issuer = (kubernetes: object | null) => {
    const text = VALID.replace(
      'audiences: [vendor]\n',
      `audiences: [vendor]\n${kubernetes === null ? '' : `    kubernetes: ${JSON.stringify(kubernetes)}\n`}`,
    );
    return loadText(text).config.issuers[0] ?? assert.fail();
  };
  assert.equal(openTokenReview(issuer(null), url), null);
  assert.equal(openTokenReview(issuer({}), url), null);
  assert.equal(openTokenReview(issuer({ tokenReview: false }), url), null);
  const files = { tokenReview: true, tokenFile, caFile };
  assert.throws(
    () => openTokenReview(issuer(files), undefined),
    /^Error: issuer cluster has tokenReview, and the service runs in no cluster \(KUBERNETES_SERVICE_HOST is not set\): write kubernetes\.apiServer$/,
  );
  const opened = [
    openTokenReview(issuer(files), `${url}/`),
    openTokenReview(issuer({ ...files, apiServer: url }), 'https://gone'),
  ];
  for (const ask of opened) assert.equal(await (ask ?? assert.fail())(TOKEN, API), undefined);
  assert.equal(cluster.asked.length, 2);
});
