import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, createServer } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { startService } from '../support/running-service.ts';
import { everything, secured, sessionOf } from '../support/tls-client.ts';
import { startTlsService, type TlsService } from '../support/tls-service.ts';

test('the public port speaks HTTPS with the configured certificate, and says so', async (t) => {
  const service = await startTlsService(t);
  assert.match(service.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const answer = await service.get('/v1/whoami', { headers: await bearerOf(service) });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
  assert.match(service.log(), /"msg":"public port at https:/);
  await assert.rejects(
    service.get('/v1/whoami', { ca: service.clientCa.certPem }),
    /unable to verify|self-signed|signature/i,
  );
});

test('plain HTTP stays without HSTS, and the admin port stays plain beside TLS', async (t) => {
  const plain = await startService(t);
  assert.equal((await fetch(new URL('/v1/ca-bundles', plain.url))).headers.get('strict-transport-security'), null);
  const service = await startTlsService(t, 'required');
  assert.match(service.adminUrl, /^http:/);
  assert.equal((await fetch(new URL('/livez', service.adminUrl))).status, 200);
});

test('a token is issued over TLS', async (t) => {
  const service = await startTlsService(t);
  const { authorization } = await bearerOf(service);
  const socket = await secured(service.trust);
  const body = 'database=orders&user=app_rw';
  const headers = [
    ...['Host: x', 'Connection: close', 'Content-Type: application/x-www-form-urlencoded'],
    ...[`Content-Length: ${body.length}`, `Authorization: ${authorization}`],
  ];
  socket.write(`POST /v1/tokens HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  assert.match(await everything(socket), /^HTTP\/1\.1 201 [^]*"token":"orders\.cluster-abc/);
});

const OLD = { ciphers: 'ALL:@SECLEVEL=0' };

const PROTOCOLS: readonly [version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', taken: boolean][] = [
  ['TLSv1', false],
  ['TLSv1.1', false],
  ['TLSv1.2', true],
  ['TLSv1.3', true],
];

const CIPHERS: readonly [name: string, taken: boolean][] = [
  ['ECDHE-RSA-AES128-GCM-SHA256', true],
  ['ECDHE-RSA-AES256-GCM-SHA384', true],
  ['ECDHE-RSA-CHACHA20-POLY1305', true],
  ['TLS_AES_128_GCM_SHA256', true],
  ['TLS_AES_256_GCM_SHA384', true],
  ['TLS_CHACHA20_POLY1305_SHA256', true],
  // Not forward secret.
  ['AES128-GCM-SHA256', false],
  ['AES256-SHA256', false],
  ['AES128-SHA', false],
  // Not authenticated encryption.
  ['ECDHE-RSA-AES128-SHA', false],
  ['ECDHE-RSA-AES256-SHA384', false],
  // Slow, and with groups that clients cannot choose.
  ['DHE-RSA-AES128-GCM-SHA256', false],
  ['TLS_AES_128_CCM_SHA256', false],
];

test('TLS 1.2 and 1.3 are spoken, with forward secret and authenticated ciphers only', async (t) => {
  const service = await startTlsService(t, undefined, { server: { rsaBits: 2048 } });
  const willing = await startWillingServer(t, service);
  for (const [version, taken] of PROTOCOLS) {
    const offer = { ...OLD, minVersion: version, maxVersion: version };
    assert.equal(await protocolWith({ ...service.trust, ...offer, port: willing }), version);
    assert.equal(await protocolWith({ ...service.trust, ...offer }), taken ? version : undefined, version);
  }
  for (const [cipher, taken] of CIPHERS) {
    const modern = cipher.startsWith('TLS_');
    const version = modern ? 'TLSv1.3' : 'TLSv1.2';
    const ciphers = modern ? cipher : `${cipher}:@SECLEVEL=0`;
    const offer: ConnectionOptions = { ciphers, minVersion: version, maxVersion: version };
    // Somebody else would take it: that it is refused is our doing.
    assert.equal(await protocolWith({ ...service.trust, ...offer, port: willing }), version, cipher);
    assert.equal(await protocolWith({ ...service.trust, ...offer }), taken ? version : undefined, cipher);
  }
});

test('HTTP/1.1 is the only protocol inside', async (t) => {
  const service = await startTlsService(t);
  const socket = await secured({ ...service.trust, ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
  await assert.rejects(
    secured({ ...service.trust, ALPNProtocols: ['h2'] }),
    /no_application_protocol|no application protocol/i,
  );
});

test('a client cannot renegotiate', async (t) => {
  const service = await startTlsService(t, 'optional');
  const socket = await secured({ ...service.trust, maxVersion: 'TLSv1.2' });
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  socket.on('error', resolve);
  socket.renegotiate({}, resolve);
  assert.match(String(await promise), /no renegotiation/);
  socket.destroy();
});

test('plain HTTP and noise on the TLS port get no HTTP answer, are counted, and take nothing from anybody', async (t) => {
  const service = await startTlsService(t);
  const openers = [
    'GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n',
    'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n',
    '\0'.repeat(64),
    'SSH-2.0-x\r\n',
  ];
  for (const opener of openers) {
    const socket = connectTcp(service.port, '127.0.0.1', () => socket.write(opener));
    assert.ok(!/HTTP/.test(await everything(socket)), opener);
  }
  // A port check of a load balancer.
  const checked = connectTcp(service.port, '127.0.0.1', () => checked.end());
  await everything(checked);
  await eventually(async () => {
    const metrics = await (await fetch(new URL('/metrics', service.adminUrl))).text();
    assert.match(metrics, new RegExp(`rtv_transport_errors_total\\{code="tls"\\} ${openers.length}\n`));
    assert.match(metrics, /rtv_transport_errors_total\{code="ECONNRESET"\} 1\n/);
    assert.ok(!metrics.includes('code="other"'));
  });
  assert.equal((await service.get('/v1/ca-bundles')).status, 200);
  const told =
    service.log().match(/"reason":"[^"]+","client_address":"127\.0\.0\.1","msg":"TLS handshake failed"/g) ?? [];
  assert.ok(
    told.some((line) => line.includes('ERR_SSL_HTTP_REQUEST')),
    told.join('\n'),
  );
  assert.equal(new Set(told).size, told.length, 'the same reason was told twice in a minute');
});

test('slow clients are cut, whatever they are slow at', async (t) => {
  const service = await startTlsService(t);
  const { requestTimeout, headersTimeout, keepAliveTimeout } = service.app.publicServer.server;
  assert.deepEqual([requestTimeout, headersTimeout, keepAliveTimeout], [10_000, 5000, 5000]);
  const started = performance.now();
  const silent = connectTcp(service.port, '127.0.0.1');
  const dripping = connectTcp(service.port, '127.0.0.1', () => void drip());
  async function drip(): Promise<void> {
    // A handshake record of 512 bytes that comes byte by byte.
    const record = [0x16, 3, 1, 2, 0, ...Array<number>(512).fill(1)];
    for (let sent = 0; !dripping.destroyed; sent++) {
      dripping.write(Buffer.of(record[sent] ?? 1));
      await sleep(500);
    }
  }
  const mute = await secured(service.trust);
  const head = 'POST /v1/tokens HTTP/1.1\r\nHost: x\r\n';
  const halves = [head, `${head}Content-Length: 10\r\nContent-Type: application/json\r\n\r\n{`].map(async (half) => {
    const socket = await secured(service.trust);
    socket.write(half);
    return everything(socket);
  });
  const cut = await Promise.all([everything(silent), everything(dripping), everything(mute), ...halves]);
  for (const answer of cut.slice(3)) assert.match(answer, /^HTTP\/1\.1 408 [^]*request-timeout/);
  // Ten seconds are meant; Node waits 120 for a handshake.
  assert.ok(performance.now() - started < 50_000);
  const metrics = await (await fetch(new URL('/metrics', service.adminUrl))).text();
  assert.match(metrics, /rtv_transport_errors_total\{code="tls"\} 2\n/);
  assert.match(service.log(), /"reason":"ERR_TLS_HANDSHAKE_TIMEOUT"/);
});

test('headers that are too long get their answer over TLS too', async (t) => {
  const service = await startTlsService(t);
  const socket = await secured(service.trust);
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`);
  assert.match(await everything(socket), /^HTTP\/1\.1 431 /);
});

test('many requests pass on one connection', async (t) => {
  const service = await startTlsService(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  let connections = 0;
  service.app.publicServer.server.on('secureConnection', () => connections++);
  const headers = await bearerOf(service);
  for (let count = 0; count < 200; count++) {
    assert.equal((await service.get('/v1/whoami', { agent, headers })).status, 200);
  }
  assert.equal(connections, 1);
});

test('where no client certificates are asked for, sessions are resumed', async (t) => {
  const service = await startTlsService(t);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const offer = { ...service.trust, minVersion: version, maxVersion: version };
    const first = await secured(offer);
    const session = await sessionOf(first);
    first.destroy();
    const second = await secured({ ...offer, session });
    assert.ok(second.isSessionReused());
    second.destroy();
  }
});

test('draining ends the TLS port: what is under way is answered, nobody new gets in', async (t) => {
  const service = await startTlsService(t);
  const socket = await secured(service.trust);
  socket.write('GET /v1/ca-bundles HTTP/1.1\r\nHost: x\r\n');
  await sleep(50);
  const drained = service.app.drain();
  socket.write('\r\n');
  assert.match(await everything(socket), /^HTTP\/1\.1 200 [^]*connection: close/i);
  await drained;
  await assert.rejects(secured(service.trust), /ECONNREFUSED/);
});

test('on localhost, whichever of its addresses answers does so with TLS', async (t) => {
  const service = await startTlsService(t, 'required', { host: 'localhost' });
  let answered = 0;
  for (const host of ['127.0.0.1', '::1']) {
    try {
      const socket = await secured({ ...service.trust, host });
      answered++;
      socket.on('error', () => {});
      socket.write('GET /v1/ca-bundles HTTP/1.1\r\nHost: x\r\n\r\n');
      // Nobody without a certificate is served at either.
      assert.equal(await everything(socket), '');
    } catch (error) {
      assert.match(String(error), /ECONNREFUSED|EADDRNOTAVAIL|certificate required/i);
    }
  }
  assert.ok(answered > 0);
});

/** A server with the same certificate that takes whatever OpenSSL can do; gives its port. */
async function startWillingServer(t: TestContext, service: TlsService): Promise<number> {
  const server = createServer(
    {
      cert: readFileSync(service.files.certFile),
      key: readFileSync(service.files.keyFile),
      ciphers: `${CIPHERS.map(([name]) => name).join(':')}:ALL:@SECLEVEL=0`,
      dhparam: 'auto',
      minVersion: 'TLSv1',
    },
    (socket) => socket.on('error', () => {}).end(),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The protocol that a connection is made with; undefined where none is. */
async function protocolWith(options: ConnectionOptions): Promise<string | null | undefined> {
  try {
    const socket = await secured(options);
    const protocol = socket.getProtocol();
    socket.destroy();
    return protocol;
  } catch (error) {
    assert.match(String(error), /alert|ECONNRESET|handshake|version|disconnected/i);
    return undefined;
  }
}

async function bearerOf(service: TlsService): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await service.mint()}` };
}
