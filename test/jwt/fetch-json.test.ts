import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { listen, portOf } from '../../demo/listen.ts';
import { fetchJson, MAX_ANSWER_BYTES } from '../../src/jwt/fetch-json.ts';
import { eventually } from '../support/eventually.ts';
import { ENDLESS, WRONG_KEYS } from '../support/idp-faults.ts';

const OPTIONS = { ca: undefined, bearerToken: undefined, timeoutMs: 4000 };

/** A server that answers every request in one way; gives its address, and the connections that are open to it. */
async function serve(t: TestContext, answer: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => answer(response));
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  const open = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  return { url: `http://localhost:${portOf(server)}/keys?secret=x`, open };
}

const places = { issuer: 'http://localhost/x', elsewhere: 'http://localhost/elsewhere' };

// What the key set itself is made of is the matter of admitKeys.
const OF_HTTP = [...ENDLESS, ...WRONG_KEYS].filter(({ why }) =>
  /answered|reached|broke off|other than/.test(why.source),
);
for (const { what, answer, why } of OF_HTTP) {
  test(`of a server that ${what} nothing is read, the connection ends, and the reason has no query`, async (t) => {
    const { url, open } = await serve(t, (response) => answer(response, places));
    await assert.rejects(fetchJson(url, OPTIONS), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, why);
      assert.match(error.message, /^http:\/\/localhost:\d+\/keys \S/);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
    await eventually(async () => assert.equal(await open(), 0));
  });
}

function json(text: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
}

const ACCEPTED: readonly [what: string, answer: (response: ServerResponse) => void, text: string][] = [
  ['JSON', json('{"a":1}'), '{"a":1}'],
  ['nothing', json(''), ''],
  ['JSON of another alphabet', json('"ключ"'), '"ключ"'],
  ['a key set media type', json('{}', { 'content-type': 'application/jwk-set+json' }), '{}'],
  ['a media type with a parameter', json('{}', { 'content-type': 'Application/JSON ; charset=utf-8' }), '{}'],
  ['an encoding that is none', json('{}', { 'content-encoding': ' Identity ' }), '{}'],
  ['exactly 100 KiB', json(' '.repeat(MAX_ANSWER_BYTES)), ' '.repeat(MAX_ANSWER_BYTES)],
  [
    'exactly 100 KiB of a length that is not told',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write(' '.repeat(MAX_ANSWER_BYTES - 1));
      response.end(' ');
    },
    ' '.repeat(MAX_ANSWER_BYTES),
  ],
];
for (const [what, answer, text] of ACCEPTED) {
  test(`${what} is read`, async (t) => {
    const { url, open } = await serve(t, answer);
    assert.equal(await fetchJson(url, OPTIONS), text);
    await eventually(async () => assert.equal(await open(), 0));
  });
}

const REFUSED: readonly [what: string, answer: (response: ServerResponse) => void, why: RegExp][] = [
  ['a media type that ends like JSON', json('{}', { 'content-type': 'text/application/json' }), /other than JSON/],
  ['a media type that begins like JSON', json('{}', { 'content-type': 'application/jsonp' }), /other than JSON/],
  [
    'a media type that is JSON by its words',
    json('{}', { 'content-type': 'application/jsonx;json' }),
    /other than JSON/,
  ],
  ['no media type', (response) => response.writeHead(200).end('{}'), /other than JSON/],
  ['text that is not UTF-8', json(Buffer.of(0x7b, 0xff, 0x7d)), /with text that is not UTF-8$/],
  ['an encoding', json('{}', { 'content-encoding': 'br' }), /with an encoded body \(Content-Encoding\)$/],
  ['a byte more than 100 KiB', json(' '.repeat(MAX_ANSWER_BYTES + 1)), /more than 102400 bytes$/],
  [
    'a byte more than 100 KiB of a length that is not told',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write(' '.repeat(MAX_ANSWER_BYTES));
      response.end(' ');
    },
    /more than 102400 bytes$/,
  ],
  [
    'a length that is too much, of which nothing comes',
    (response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '102401' }).flushHeaders(),
    /more than 102400 bytes$/,
  ],
];
for (const [what, answer, why] of REFUSED) {
  test(`${what} is refused`, async (t) => {
    const { url } = await serve(t, answer);
    await assert.rejects(fetchJson(url, OPTIONS), why);
  });
}

test('a port that nobody listens on is told by its code', async (t) => {
  const { url } = await serve(t, () => {});
  const server = createServer();
  await listen(server, 0);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(fetchJson(`http://localhost:${port}/k`, OPTIONS), /\/k cannot be reached: .*ECONNREFUSED/);
  await assert.rejects(fetchJson(url, { ...OPTIONS, timeoutMs: 50 }), /did not answer within/);
});

test('the token, and that nothing may be compressed or from a cache, is said', async (t) => {
  const asked: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    json('{}')(response);
  });
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  const url = `http://localhost:${portOf(server)}/`;
  await fetchJson(url, { ...OPTIONS, bearerToken: 'ttt' });
  await fetchJson(url, OPTIONS);
  const wanted = {
    accept: 'application/json, application/jwk-set+json',
    'accept-encoding': 'identity',
    'cache-control': 'no-cache',
    host: `localhost:${portOf(server)}`,
    connection: 'close',
  };
  assert.deepEqual(asked, [{ ...wanted, authorization: 'Bearer ttt' }, wanted]);
});
