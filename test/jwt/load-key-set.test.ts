import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificates } from '../../demo/certificates.ts';
import { listen, portOf } from '../../demo/listen.ts';
import { loadKeySet } from '../../src/jwt/load-key-set.ts';
import { keySetText } from '../support/test-issuer.ts';

type Answer = { readonly status?: number; readonly type?: string; readonly body?: string; readonly location?: string };

/** A server of fixed answers; every path it was asked for is in `asked`. */
async function serve(
  t: TestContext,
  answers: (url: string) => Record<string, Answer>,
  tls?: { cert: string; key: string },
) {
  const asked: string[] = [];
  const answer: RequestListener = (request, response) => {
    asked.push(request.url ?? '');
    const {
      status = 200,
      type = 'application/json',
      body = '',
      location,
    } = answers(url)[request.url ?? ''] ?? { status: 404 };
    response.writeHead(status, { 'content-type': type, ...(location === undefined ? {} : { location }) }).end(body);
  };
  const server: Server = tls ? createHttpsServer(tls, answer) : createHttpServer(answer);
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  const url = `${tls ? 'https' : 'http'}://localhost:${portOf(server)}`;
  return { url, asked };
}

const DISCOVERY = '/.well-known/openid-configuration';
const keys = { body: keySetText() };
const byUrl = (location: string) => ({ issuer: 'https://idp.example', jwks: { kind: 'url' as const, location } });
const discovered = (issuer: string) => ({ issuer, jwks: { kind: 'discovery' as const } });

test('keys come by discovery, by URL and from a file', async (t) => {
  const { url } = await serve(t, (own) => ({
    [DISCOVERY]: { body: JSON.stringify({ issuer: own, jwks_uri: `${own}/k` }) },
    '/k': { ...keys, type: 'application/jwk-set+json; charset=utf-8' },
  }));
  const folder = mkdtempSync(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const location = join(folder, 'jwks.json');
  writeFileSync(location, keySetText());
  const loaded = await Promise.all([
    loadKeySet(discovered(url)),
    loadKeySet(byUrl(`${url}/k`)),
    loadKeySet({ issuer: 'x', jwks: { kind: 'file', location } }),
  ]);
  for (const set of loaded)
    assert.deepEqual(
      set.keys.map(({ kid }) => kid),
      ['rsa', 'ec', 'ed'],
    );
});

const BAD_ANSWERS: readonly [what: string, answer: Answer, why: RegExp][] = [
  ['an error', { status: 500, ...keys }, /answered 500/],
  ['a redirect', { status: 302, location: '/k2', ...keys }, /answered 302/],
  ['HTML', { ...keys, type: 'text/html' }, /something other than JSON/],
  ['no media type', { ...keys, type: '' }, /something other than JSON/],
  ['more than 100 KiB', { body: `${keySetText()}${' '.repeat(100 * 1024)}` }, /more than 102400 bytes/],
  ['something that is no key set', { body: '{}' }, /no list of keys/],
];
for (const [what, answer, why] of BAD_ANSWERS) {
  test(`a key set address that answers with ${what} gives no keys`, async (t) => {
    const { url, asked } = await serve(t, () => ({ '/k': answer, '/k2': keys }));
    await assert.rejects(loadKeySet(byUrl(`${url}/k`)), why);
    assert.deepEqual(asked, ['/k']);
  });
}

const BAD_DISCOVERIES: readonly [what: string, document: (url: string) => object, why: RegExp][] = [
  ['of another issuer', (url) => ({ issuer: `${url}/other`, jwks_uri: `${url}/k` }), /another issuer/],
  ['of the issuer with a slash more', (url) => ({ issuer: `${url}/`, jwks_uri: `${url}/k` }), /another issuer/],
  ['without jwks_uri', (url) => ({ issuer: url }), /names no jwks_uri/],
  [
    'with a jwks_uri on plain http elsewhere',
    (url) => ({ issuer: url, jwks_uri: 'http://169.254.169.254/k' }),
    /not https/,
  ],
  ['with a file as jwks_uri', (url) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' }), /not https/],
];
for (const [what, document, why] of BAD_DISCOVERIES) {
  test(`a discovery document ${what} is refused`, async (t) => {
    const { url, asked } = await serve(t, (own) => ({
      [DISCOVERY]: { body: JSON.stringify(document(own)) },
      '/k': keys,
    }));
    await assert.rejects(loadKeySet(discovered(url)), why);
    assert.deepEqual(asked, [DISCOVERY]);
  });
}

test("an issuer's https is trusted by its own caFile and by nothing else", async (t) => {
  const certificates = await makeCertificates(Date.now());
  const others = await makeCertificates(Date.now());
  const folder = mkdtempSync(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), certificates.ca);
  writeFileSync(join(folder, 'other.pem'), others.ca);
  const { url } = await serve(t, () => ({ '/k': keys }), certificates);
  const source = byUrl(`${url}/k`);
  assert.equal((await loadKeySet({ ...source, caFile: join(folder, 'ca.pem') })).keys.length, 3);
  await assert.rejects(loadKeySet({ ...source, caFile: join(folder, 'other.pem') }), /cannot be reached/);
  await assert.rejects(loadKeySet(source), /cannot be reached/);
});

test('an issuer that accepts and never answers is given up after 5 s', async (t) => {
  const server = createHttpServer(() => {});
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  await assert.rejects(loadKeySet(byUrl(`http://localhost:${portOf(server)}/k`)), /did not answer within 5 s/);
});
