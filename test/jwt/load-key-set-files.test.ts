import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCa } from '../../demo/certificate-authority.ts';
import { createKeySetLoader, type KeySource, loadKeySet } from '../../src/jwt/load-key-set.ts';
import { type IdpOptions, type LoopbackIdp, openIdp } from '../support/loopback-idp.ts';

const DAY_MS = 86_400_000;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function idpOf(t: TestContext, options: IdpOptions = {}): Promise<LoopbackIdp> {
  const idp = await openIdp(options);
  t.after(() => idp.close());
  return idp;
}

const discovered = (idp: LoopbackIdp): KeySource => ({ issuer: idp.issuer('a'), jwks: { kind: 'discovery' } });

/** The tokens that an issuer was sent, address by address. */
const tokensOf = ({ asked }: LoopbackIdp) => asked.map(({ path, request }) => [path, request.headers.authorization]);

test('the token of bearerTokenFile goes to the discovery and the keys of the configured host, read anew at each load', async (t) => {
  const idp = await idpOf(t);
  const bearerTokenFile = write(folderOf(t), 'token', 'first.to-ken_~+/==\n');
  const load = createKeySetLoader({ ...discovered(idp), bearerTokenFile });
  await load('refresh');
  writeFileSync(bearerTokenFile, 'second');
  await load('unknown_kid');
  await loadKeySet({
    issuer: 'https://x',
    jwks: { kind: 'url', location: `${idp.issuer('b')}/keys` },
    bearerTokenFile,
  });
  await loadKeySet(discovered(idp));
  assert.deepEqual(tokensOf(idp), [
    ['/a/discovery', 'Bearer first.to-ken_~+/=='],
    ['/a/keys', 'Bearer first.to-ken_~+/=='],
    ['/a/keys', 'Bearer second'],
    ['/b/keys', 'Bearer second'],
    ['/a/discovery', undefined],
    ['/a/keys', undefined],
  ]);
});

test('it goes to no other host that discovery names, and a failure there says why', async (t) => {
  const idp = await idpOf(t);
  const other = await idpOf(t);
  const document = JSON.stringify({ issuer: idp.issuer('a'), jwks_uri: `${other.issuer('a')}/keys` });
  const answer = (response: { end(text: string): void; setHeader(name: string, value: string): void }) => {
    response.setHeader('content-type', 'application/json');
    response.end(document);
  };
  idp.breakAt('a', 'discovery', { what: 'names another host', answer, why: /./ });
  const source = { ...discovered(idp), bearerTokenFile: write(folderOf(t), 'token', 'secret-token') };
  assert.equal((await loadKeySet(source)).keys.length, 3);
  other.breakAt('a', 'keys', { what: '', answer: (response) => response.writeHead(401).end(), why: /./ });
  await assert.rejects(loadKeySet(source), ({ message }: Error) => {
    assert.match(message, /answered 401; the token of bearerTokenFile is sent to http:\/\/localhost:\d+ only$/);
    assert.ok(!message.includes('secret-token'));
    return true;
  });
  assert.deepEqual(
    tokensOf(other).map(([, token]) => token),
    [undefined, undefined],
  );
});

const BAD_TOKENS: readonly [what: string, text: string, why: RegExp][] = [
  ['nothing', '', /does not hold one bearer token/],
  ['two lines', 'secret\nsecret', /does not hold one bearer token/],
  ['a header', 'secret\r\nx: y', /does not hold one bearer token/],
  ['more than 16 KiB', 's'.repeat(17_000), /larger than 16384 bytes/],
];
for (const [what, text, why] of BAD_TOKENS) {
  test(`a bearerTokenFile with ${what} is refused before anything is fetched, and not quoted`, async (t) => {
    const idp = await idpOf(t);
    const source = { ...discovered(idp), bearerTokenFile: write(folderOf(t), 'token', text) };
    await assert.rejects(loadKeySet(source), ({ message }: Error) => why.test(message) && !/secret|sss/.test(message));
    assert.deepEqual(idp.asked, []);
  });
}

test("an issuer's https is trusted by its caFile, read anew at each load, for the name and time of its certificate", async (t) => {
  const now = Date.now();
  const [ca, other, past] = await Promise.all([
    makeCa('ours'),
    makeCa('another'),
    makeCa('past', { notBefore: now - 9 * DAY_MS, notAfter: now - DAY_MS }),
  ]);
  const [good, misnamed, expired] = await Promise.all([
    ca.issue({ dnsNames: ['localhost'] }),
    ca.issue({ dnsNames: ['idp.example'] }),
    past.issue({ dnsNames: ['localhost'] }),
  ]);
  const idps = await Promise.all(
    [good, misnamed, expired].map(({ certPem, keyPem }) => idpOf(t, { tls: { cert: certPem, key: keyPem } })),
  );
  const caFile = write(folderOf(t), 'ca.pem', other.certPem);
  const [load = assert.fail(), loadMisnamed, loadExpired] = idps.map((idp) =>
    createKeySetLoader({ ...discovered(idp), caFile }),
  );
  await assert.rejects(load('refresh'), /cannot be reached: unable to (get local issuer|verify the first) certificate/);
  writeFileSync(caFile, ca.certPem + past.certPem);
  assert.equal((await load('refresh')).keys.length, 3);
  await assert.rejects(loadMisnamed?.('refresh') ?? assert.fail(), /Hostname\/IP does not match/);
  await assert.rejects(loadExpired?.('refresh') ?? assert.fail(), /certificate has expired/);
  const [idp = assert.fail()] = idps;
  await assert.rejects(loadKeySet(discovered(idp)), /cannot be reached: .*certificate/, "the system's CAs know it not");
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment switches nothing off', async (t) => {
  const { certPem, keyPem } = await (await makeCa('unknown')).issue({ dnsNames: ['localhost'] });
  const idp = await idpOf(t, { tls: { cert: certPem, key: keyPem } });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  await assert.rejects(loadKeySet(discovered(idp)), /cannot be reached: .*certificate/);
  assert.deepEqual(idp.asked, []);
});

test('an https issuer may not name a key set on plain http, loopback or not', async (t) => {
  const ca = await makeCa('ours');
  const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
  const idp = await idpOf(t, { tls: { cert: certPem, key: keyPem } });
  const plain = await idpOf(t);
  const caFile = write(folderOf(t), 'ca.pem', ca.certPem);
  for (const jwks_uri of [`${plain.issuer('a')}/keys`, 'http://127.0.0.1:1/keys', 'http://idp.example/keys']) {
    const document = JSON.stringify({ issuer: idp.issuer('a'), jwks_uri });
    idp.breakAt('a', 'discovery', {
      what: '',
      answer: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(document),
      why: /./,
    });
    await assert.rejects(loadKeySet({ ...discovered(idp), caFile }), /names a jwks_uri that is not https/);
  }
  assert.deepEqual(plain.asked, []);
});

test('a caFile without a certificate, or that is not there, is named', async (t) => {
  const folder = folderOf(t);
  const source = { issuer: 'https://localhost:1', jwks: { kind: 'discovery' as const } };
  const empty = write(folder, 'empty.pem', 'nothing');
  await assert.rejects(loadKeySet({ ...source, caFile: empty }), /empty\.pem holds no PEM certificate/);
  await assert.rejects(loadKeySet({ ...source, caFile: join(folder, 'none.pem') }), /no such file.*none\.pem/);
});

test('a key file of any size costs no more memory than 100 KiB', async (t) => {
  const location = join(folderOf(t), 'zero');
  symlinkSync('/dev/zero', location);
  await assert.rejects(loadKeySet({ issuer: 'x', jwks: { kind: 'file', location } }), /larger than 102400 bytes/);
});

test("the key set's address is remembered for unknown kids, and discovered again on schedule and when it fails", async (t) => {
  const idp = await idpOf(t);
  const load = createKeySetLoader(discovered(idp));
  const asked = async (reason: 'refresh' | 'unknown_kid') => {
    const before = idp.asked.length;
    await load(reason).catch(() => undefined);
    return idp.asked.slice(before).map(({ path }) => path);
  };
  assert.deepEqual(await asked('unknown_kid'), ['/a/discovery', '/a/keys']);
  assert.deepEqual(await asked('unknown_kid'), ['/a/keys']);
  assert.deepEqual(await asked('refresh'), ['/a/discovery', '/a/keys']);
  idp.breakAt('a', 'keys', { what: '', answer: (response) => response.writeHead(404).end(), why: /./ });
  assert.deepEqual(await asked('unknown_kid'), ['/a/keys']);
  idp.breakAt('a', 'keys', null);
  assert.deepEqual(await asked('unknown_kid'), ['/a/discovery', '/a/keys']);
  idp.publish('a', '{"keys":[]}');
  assert.deepEqual(await asked('unknown_kid'), ['/a/keys']);
  assert.deepEqual(await asked('unknown_kid'), ['/a/discovery', '/a/keys']);
});

test('what is sent asks for JSON without compression, past caches, with no cookie and no name of ours', async (t) => {
  const idp = await idpOf(t);
  await loadKeySet(discovered(idp));
  const { host: _host, ...headers } = idp.asked[1]?.request.headers ?? {};
  assert.deepEqual(headers, {
    ...{ accept: 'application/json, application/jwk-set+json', 'accept-encoding': 'identity' },
    ...{ 'cache-control': 'no-cache', connection: 'close' },
  });
});
