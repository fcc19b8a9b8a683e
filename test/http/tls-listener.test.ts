import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Agent } from 'node:https';
import { test, type TestContext } from 'node:test';
import { makeCa } from '../../demo/certificate-authority.ts';
import { createTlsListener } from '../../src/http/tls-listener.ts';
import { type TlsFiles, tlsContextOf } from '../../src/http/tls-options.ts';
import { askOverTls, secured, sessionOf } from '../support/tls-client.ts';
import { clientOf, makeTlsMaterial, SERVER_NAMES } from '../support/tls-material.ts';

/** A listener with a handler that answers who asks and whether its connection is outdated; its clock is `clock.now`. */
async function startListener(t: TestContext, changed: Partial<TlsFiles> = {}) {
  const material = await makeTlsMaterial(t);
  const files: TlsFiles = { ...material.files, ...changed };
  const clock = { now: Date.now() };
  const failed: (readonly [reason: string, address: string | undefined])[] = [];
  const counted: string[] = [];
  const listener = createTlsListener({
    context: tlsContextOf(files, clock.now),
    now: () => clock.now,
    onTransportError: (code) => counted.push(code),
    onHandshakeFailed: (...failure) => failed.push(failure),
  });
  const server = listener.createServer((request, response) => {
    response.end(JSON.stringify([listener.thumbprintOf(request.socket), listener.isOutdated(request.socket)]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const trust = { host: '127.0.0.1', port: portOf(server), servername: 'localhost', ca: material.serverCa.certPem };
  return {
    ...material,
    files,
    listener,
    clock,
    failed,
    counted,
    trust,
    reread: () => listener.replace(tlsContextOf(files, clock.now)),
    /** What the handler answers, on a connection that is kept, or on one of its own. */
    async ask(options: object, agent: Agent | false = false): Promise<unknown> {
      return JSON.parse((await askOverTls({ ...trust, agent, path: '/', ...options })).body);
    },
    keptOpen(): Agent {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      return agent;
    },
  };
}

test('another server certificate is shown to new connections; those that are open go on', async (t) => {
  const { ask, keptOpen, reread, clientCa, serverCa, trust, putServerCertificate } = await startListener(t);
  const { options, thumbprint } = await clientOf(clientCa, 'a');
  const agent = keptOpen();
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
  const shown = async () => {
    const socket = await secured(trust);
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    return certificate?.serialNumber;
  };
  const before = await shown();
  putServerCertificate(await serverCa.issue(SERVER_NAMES));
  reread();
  assert.notEqual(await shown(), before);
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
});

test('a client CA that is added lets its clients in, and outdates nobody', async (t) => {
  const { ask, keptOpen, reread, clientCa, putClientCas } = await startListener(t);
  const { options, thumbprint } = await clientOf(clientCa, 'a');
  const agent = keptOpen();
  await ask(options, agent);
  const added = await makeCa('added');
  const newcomer = await clientOf(added, 'b');
  await assert.rejects(ask(newcomer.options));
  putClientCas(added, clientCa);
  reread();
  assert.deepEqual(await ask(newcomer.options), [newcomer.thumbprint, false]);
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
});

test('a client CA that is withdrawn keeps its clients out; those that are in are outdated, whoever has no certificate is not', async (t) => {
  const { ask, keptOpen, reread, clock, clientCa, putClientCas, failed } = await startListener(t);
  const { options, thumbprint } = await clientOf(clientCa, 'a');
  const [agent, nobody] = [keptOpen(), keptOpen()];
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
  assert.deepEqual(await ask({}, nobody), [null, false]);
  const other = await makeCa('other');
  putClientCas(other);
  clock.now += 1000;
  reread();
  assert.deepEqual(await ask(options, agent), [thumbprint, true]);
  assert.deepEqual(await ask({}, nobody), [null, false]);
  await assert.rejects(ask(options));
  assert.deepEqual(failed.at(-1), ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '127.0.0.1']);
  // A handshake that began before may end ten seconds later: nobody can tell it from one that began after.
  const newcomer = await clientOf(other, 'b');
  assert.deepEqual(await ask(newcomer.options), [newcomer.thumbprint, true]);
  clock.now += 10_000;
  assert.deepEqual(await ask(newcomer.options), [newcomer.thumbprint, false]);
  reread();
  assert.deepEqual(await ask(newcomer.options), [newcomer.thumbprint, false], 'nothing has changed since');
});

test('a handshake that began before a client CA was withdrawn, and ends after, makes an outdated connection', async (t) => {
  const { ask, reread, clientCa, putClientCas, trust } = await startListener(t);
  const { options, thumbprint } = await clientOf(clientCa, 'a');
  const slow = await startHoldingProxy(t, trust.port);
  const answer = ask({ ...options, port: slow.port });
  await slow.held;
  putClientCas(await makeCa('other'));
  reread();
  slow.release();
  assert.deepEqual(await answer, [thumbprint, true]);
});

test('a connection whose certificate expires while it is open is outdated from then on', async (t) => {
  const { ask, keptOpen, clock, clientCa } = await startListener(t);
  const validity = { notBefore: clock.now - 60_000, notAfter: Math.ceil(clock.now / 1000) * 1000 + 60_000 };
  const { options, thumbprint } = await clientOf(clientCa, 'a', { validity });
  const agent = keptOpen();
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
  clock.now = validity.notAfter - 1;
  assert.deepEqual(await ask(options, agent), [thumbprint, false]);
  clock.now = validity.notAfter;
  assert.deepEqual(await ask(options, agent), [thumbprint, true]);
});

test('a session from before a change is not resumed after it', async (t) => {
  const { reread, trust, serverCa, putServerCertificate } = await startListener(t, { clientCaFile: undefined });
  const first = await secured(trust);
  const session = await sessionOf(first);
  first.destroy();
  const before = await secured({ ...trust, session });
  putServerCertificate(await serverCa.issue(SERVER_NAMES));
  reread();
  const after = await secured({ ...trust, session });
  assert.deepEqual([before.isSessionReused(), after.isSessionReused()], [true, false]);
  before.destroy();
  after.destroy();
});

test('whether certificates are asked for cannot change, and nothing changes then', async (t) => {
  const { listener, files, ask, clientCa } = await startListener(t);
  const required = tlsContextOf({ ...files, clientCertificates: 'required' }, Date.now());
  const none = tlsContextOf({ ...files, clientCaFile: undefined }, Date.now());
  assert.throws(() => listener.replace(required), /needs a restart/);
  assert.throws(() => listener.replace(none), /needs a restart/);
  const { options, thumbprint } = await clientOf(clientCa, 'a');
  assert.deepEqual(await ask(options), [thumbprint, false]);
});

test('each reason is told of once a minute, and counted each time', async (t) => {
  const { ask, clock, counted, failed } = await startListener(t);
  const { options } = await clientOf(await makeCa('somebody'), 'a');
  for (let count = 0; count < 3; count++) await assert.rejects(ask(options));
  clock.now += 59_999;
  await assert.rejects(ask(options));
  assert.deepEqual(failed, [['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '127.0.0.1']]);
  clock.now += 1;
  await assert.rejects(ask(options));
  assert.equal(failed.length, 2);
  assert.deepEqual(counted, ['tls', 'tls', 'tls', 'tls', 'tls']);
});

/** Passes on what one client sends first, and holds back the rest until it is released. */
async function startHoldingProxy(t: TestContext, target: number) {
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const proxy = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    async function passOn(rest: Buffer): Promise<void> {
      await released;
      server.write(rest);
      client.pipe(server);
    }
    server.pipe(client);
    client.once('data', (hello) => {
      server.write(hello);
      client.once('data', (rest: Buffer) => {
        client.pause();
        hold();
        void passOn(rest);
      });
    });
    for (const socket of [client, server]) socket.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  return { port: portOf(proxy), held, release };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
