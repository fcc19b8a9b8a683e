import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { fetchCaBundle } from '../../src/rds/fetch-ca-bundle.ts';
import { MAX_CA_PEM_BYTES } from '../../src/rds/parse-ca-pem.ts';
import { makeCa } from '../../demo/certificate-authority.ts';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';

const NOW = Date.now();
const DAY = 86_400_000;
const PEM = readBuiltInBundle('us-west-2', NOW)?.pem ?? '';
const OTHER = readBuiltInBundle('us-east-1', NOW)?.pem ?? '';

/** What the server does at each path. */
const ANSWERS: Record<string, (response: ServerResponse) => void> = {
  '/good': (response) => response.end(PEM),
  '/octets': (response) => response.setHeader('content-type', 'binary/octet-stream').end(PEM),
  '/redirect': (response) => response.writeHead(302, { location: '/good' }).end(PEM),
  '/moved': (response) => response.writeHead(301, { location: '/good' }).end(),
  '/missing': (response) => response.writeHead(404).end(PEM),
  '/broken': (response) => response.writeHead(500).end(PEM),
  '/partial': (response) => response.writeHead(206).end(PEM),
  '/empty': (response) => response.writeHead(204).end(),
  '/nothing': (response) => response.end(),
  '/html': (response) => response.end('<!doctype html><p>Sign in to the guest network</p>'),
  '/big': (response) => response.end('#'.repeat(MAX_CA_PEM_BYTES + 1)),
  '/full': (response) => response.end(`${PEM}#${'x'.repeat(MAX_CA_PEM_BYTES - PEM.length - 1)}`),
  '/endless': (response) => flood(response),
  '/truncated': (response) => {
    response.writeHead(200, { 'content-length': PEM.length });
    response.write(PEM.slice(0, 1000), () => response.destroy());
  },
  '/unfinished-chunks': (response) => void response.write(PEM, () => response.destroy()),
  '/cut-at-certificate': (response) => response.end(PEM.slice(0, PEM.length - 40)),
  '/reset': (response) => response.destroy(),
  '/silent': () => {},
  '/headers-only': (response) => response.flushHeaders(),
  '/stalled': (response) => void response.write(PEM.slice(0, 100)),
  '/other-region': (response) => response.end(OTHER),
  '/corporate': (response) => response.end(corporate),
  '/expired': (response) => response.end(expired),
  '/expired-beside-corporate': (response) => response.end(expired + corporate),
  '/named-like-ours': (response) => response.end(preview),
  '/beside': (response) => response.end(OTHER + PEM + expired),
};

let server: HttpsServer;
let stranger: HttpsServer;
let misnamed: HttpsServer;
let trusted = '';
let corporate = '';
let expired = '';
let preview = '';

before(async () => {
  const [ca, another] = await Promise.all([makeCa('mirror'), makeCa('stranger')]);
  const old = { notBefore: NOW - 3 * DAY, notAfter: NOW - DAY };
  const [gone, beta] = await Promise.all([
    makeCa('Amazon RDS us-west-2 Root CA RSA2048 G1', old),
    makeCa('Amazon RDS Preview us-west-2 Root CA RSA2048 G1'),
  ]);
  [trusted, corporate, expired, preview] = [ca.certPem, another.certPem, gone.certPem, beta.certPem];
  const answer = (path: string, response: ServerResponse) => ANSWERS[path]?.(response);
  const start = async (issuer: typeof ca, dnsNames: string[]) =>
    startHttpsServer(await issuer.issue({ dnsNames }), ({ url = '' }, response) => answer(url, response));
  server = await start(ca, ['localhost']);
  stranger = await start(another, ['localhost']);
  misnamed = await start(ca, ['truststore.pki.rds.amazonaws.com']);
});

after(() => Promise.all([server, stranger, misnamed].map((each) => each.close())));

for (const [path, certificates] of [
  ['/good', 3],
  ['/octets', 3],
  ['/full', 3],
  ['/beside', 7],
] as const) {
  test(`${path}: the bundle is fetched, and says where AWS publishes it`, async () => {
    const bundle = await fetchFrom(server, path);
    assert.deepEqual([bundle.id, bundle.origin, bundle.certificates.length], ['us-west-2', 'fetched', certificates]);
    assert.equal(bundle.sourceUrl, 'https://truststore.pki.rds.amazonaws.com/us-west-2/us-west-2-bundle.pem');
  });
}

const NO_ROOT = 'holds no valid RDS root of the region us-west-2';
const EXPIRED = 'holds no certificate that is valid now: all have expired, or none is valid yet';
const REFUSED: readonly [path: string, why: RegExp | string][] = [
  ['/redirect', 'answered 302'],
  ['/moved', 'answered 301'],
  ['/missing', 'answered 404'],
  ['/broken', 'answered 500'],
  ['/partial', 'answered 206'],
  ['/empty', 'answered 204'],
  ['/nothing', 'holds no certificate'],
  ['/html', 'holds something other than a certificate at line 1'],
  ['/big', 'answered more than 2097152 bytes'],
  ['/endless', 'answered more than 2097152 bytes'],
  ['/truncated', /^cannot be reached: aborted$|^ended its answer early$/],
  ['/unfinished-chunks', /^cannot be reached: aborted$|^ended its answer early$/],
  ['/cut-at-certificate', /^ends within the certificate that begins at line \d+$/],
  ['/reset', /^cannot be reached: /],
  ['/other-region', NO_ROOT],
  ['/corporate', NO_ROOT],
  ['/named-like-ours', NO_ROOT],
  ['/expired', EXPIRED],
  ['/expired-beside-corporate', NO_ROOT],
];
for (const [path, why] of REFUSED) {
  test(`${path} is refused: ${String(why)}`, async () => {
    const asked = server.paths.length;
    await assert.rejects(fetchFrom(server, path), fails(server, path, why));
    assert.deepEqual(server.paths.slice(asked), [path]);
  });
}

for (const path of ['/silent', '/headers-only', '/stalled']) {
  test(`${path} is given up after the time allowed`, async () => {
    await assert.rejects(
      fetchFrom(server, path, { timeoutMs: 50 }),
      fails(server, path, 'did not answer within 0.05 s'),
    );
  });
}

test('a fetch ends when the program does', async () => {
  const ended = new AbortController();
  const fetching = fetchFrom(server, '/silent', { signal: ended.signal });
  ended.abort();
  await assert.rejects(fetching, fails(server, '/silent', /^cannot be reached: /));
});

test('a server whose certificate is another CA’s is not asked', async () => {
  await assert.rejects(
    fetchFrom(stranger, '/good'),
    fails(stranger, '/good', /^cannot be reached: self-signed|^cannot be reached: unable to/),
  );
  assert.deepEqual(stranger.paths, []);
});

test('a server whose certificate names another host is not asked', async () => {
  await assert.rejects(
    fetchFrom(misnamed, '/good'),
    fails(misnamed, '/good', /^cannot be reached: Hostname\/IP does not match/),
  );
  assert.deepEqual(misnamed.paths, []);
});

test('a private CA is not trusted unless it is named', async () => {
  await assert.rejects(
    fetchFrom(server, '/good', { ca: undefined }),
    fails(server, '/good', /^cannot be reached: unable to/),
  );
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 does not make an unknown server trusted', async (t) => {
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  t.after(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  await assert.rejects(fetchFrom(stranger, '/good'), fails(stranger, '/good', /^cannot be reached: /));
});

test('an address without TLS is not asked', async () => {
  const url = `${server.origin.replace('https', 'http')}/good`;
  await assert.rejects(fetchCaBundle({ id: 'us-west-2', url, now: Date.now, signal: new AbortController().signal }));
});

function fetchFrom({ origin }: HttpsServer, path: string, options: Partial<Parameters<typeof fetchCaBundle>[0]> = {}) {
  const signal = new AbortController().signal;
  return fetchCaBundle({ id: 'us-west-2', url: `${origin}${path}`, ca: trusted, now: () => NOW, signal, ...options });
}

function fails({ origin }: HttpsServer, path: string, why: RegExp | string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Error);
    const start = `${origin}${path} `;
    assert.equal(error.message.slice(0, start.length), start);
    const rest = error.message.slice(start.length);
    if (typeof why === 'string') assert.equal(rest, why);
    else assert.match(rest, why);
    return true;
  };
}

function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write('#'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
}
