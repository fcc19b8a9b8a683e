import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog, AuditRecord } from '../../src/issuance/audit-record.ts';
import { eventually } from '../support/eventually.ts';
import { openConnection, type RawConnection } from '../support/raw-connection.ts';
import { type RunningService, startService } from '../support/running-service.ts';

/** An audit log that holds every answer back until it is let go. */
function heldAudit() {
  const gate = Promise.withResolvers<void>();
  const audit: AuditLog = {
    record: async ({ id }: AuditRecord) => {
      await gate.promise;
      return id;
    },
    probe: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return { audit, release: gate.resolve };
}

const BODY = JSON.stringify({ database: 'orders', user: 'app_rw' });

function askForToken(connection: RawConnection, jwt: string, from = '203.0.113.1'): void {
  const headers = [`authorization: Bearer ${jwt}`, 'content-type: application/json', `x-forwarded-for: ${from}`];
  connection.request('POST', '/v1/tokens', headers, BODY);
}

async function metric({ adminUrl }: RunningService, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', adminUrl))).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

/** Waits until so many requests are in flight. */
function inFlight(service: RunningService, count: number): Promise<void> {
  return eventually(async () => assert.equal(await metric(service, 'rtv_requests_in_flight'), count));
}

/** A service whose answers are held back, and one connection for each sender. */
async function heldService(t: TestContext) {
  const { audit, release } = heldAudit();
  const config = (text: string) =>
    text
      .replace('server: { ', 'server: { trustedProxies: ["127.0.0.0/8"], ')
      .replace(
        'limits: { perCaller: 1000/s, perDatabase: 1000/s',
        'limits: { perCaller: 10000/s, perDatabase: 10000/s',
      );
  const service = await startService(t, { config, overrides: { audit } });
  const connections: RawConnection[] = [];
  t.after(() => connections.forEach(({ socket }) => socket.destroy()));
  return {
    service,
    release,
    async connect() {
      const connection = await openConnection(service.url);
      connections.push(connection);
      return connection;
    },
  };
}

test('places in flight: strangers leave room for who is known, a flooding address leaves room for strangers', async (t) => {
  const { service, release, connect } = await heldService(t);
  // Its reading leaves no record, so it is answered, and known from then on.
  const known = await service.mint();
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${known}` } })).status, 200);
  const flooding = await connect();
  for (let n = 0; n < 60; n++) askForToken(flooding, 'abc', '203.0.113.66');
  await inFlight(service, 60);
  const crowd = await Promise.all(Array.from({ length: 10 }, connect));
  const send = async (count: number, jwt: string) => {
    for (let n = 0; n < count; n++) askForToken(crowd[n % 10] ?? assert.fail(), jwt);
  };
  const tried: number[] = [];
  const tryOne = async (jwt: string, from?: string) => {
    const connection = await connect();
    askForToken(connection, jwt, from);
    await Promise.race([connection.answered(1), sleep(100)]);
    tried.push(connection.statuses()[0] ?? 0);
  };

  await send(440, known);
  await inFlight(service, 500);
  await tryOne('abc', '203.0.113.66');
  await tryOne('abc', '203.0.113.67');
  await inFlight(service, 501);
  await send(249, known);
  await inFlight(service, 750);
  await tryOne(await service.mint());
  await tryOne(known);
  await inFlight(service, 751);
  await send(249, known);
  await inFlight(service, 1000);
  await tryOne(known);
  // 0: no answer yet, since it is in flight.
  assert.deepEqual(tried, [503, 0, 503, 0, 503]);
  assert.equal(await metric(service, 'rtv_requests_shed_total{cause="too_many_in_flight"}'), 3);
  assert.equal((await fetch(new URL('/livez', service.adminUrl))).status, 200);
  assert.equal((await fetch(new URL('/openapi.json', service.url))).status, 200);

  release();
  await inFlight(service, 0);
  await eventually(async () =>
    assert.equal(crowd.flatMap((connection) => connection.statuses()).length, 440 + 249 + 249),
  );
  assert.deepEqual(new Set(crowd.flatMap((connection) => connection.statuses())), new Set([201]));
  assert.equal((await service.ask('/v1/whoami')).status, 200);
});

test('whoever is turned away gets a problem document with Retry-After, though the body has not come', async (t) => {
  const { service, release, connect } = await heldService(t);
  const known = await service.mint();
  await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${known}` } });
  const connections = await Promise.all(Array.from({ length: 10 }, connect));
  for (let n = 0; n < 1000; n++) askForToken(connections[n % 10] ?? assert.fail(), known);
  await inFlight(service, 1000);
  const late = await connect();
  late.socket.write(
    `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\nauthorization: Bearer ${known}\r\n\r\n{`,
  );
  assert.deepEqual(await late.answered(1), [503]);
  const [head = '', body = ''] = late.text().split('\r\n\r\n');
  assert.match(head, /\r\nretry-after: [123]\r\n/);
  assert.match(head, /\r\ncontent-type: application\/problem\+json(;|\r\n)/);
  assert.deepEqual(JSON.parse(body), {
    type: 'urn:rds-token-vendor:problem:unavailable:overloaded',
    title: 'Temporarily unavailable',
    status: 503,
    detail: 'Too much is under way. Try again after Retry-After seconds.',
  });
  release();
  await inFlight(service, 0);
});

test('clients that go away leave nothing behind, and what they asked for is in flight until it is decided', async (t) => {
  const { service, release, connect } = await heldService(t);
  const known = await service.mint();
  const gone = await Promise.all(Array.from({ length: 20 }, connect));
  for (const connection of gone) askForToken(connection, known);
  const halfway = await Promise.all(Array.from({ length: 5 }, connect));
  for (const { socket } of halfway) socket.write('POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{');
  await inFlight(service, 25);
  for (const { socket } of [...gone, ...halfway]) socket.destroy();
  // Half a body is over; it is a refusal, whose record is held back as well.
  await sleep(100);
  assert.ok((await metric(service, 'rtv_requests_in_flight')) >= 20);
  release();
  await inFlight(service, 0);
});

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const BLOCKS: readonly [what: string, limit: string, expected: number][] = [
  ['later than the limit', '100ms', 503],
  ['less late than the limit', '10s', 200],
  ['late, and there is no limit', '0s', 200],
];
for (const [what, limit, expected] of BLOCKS) {
  test(`a request that is read while the event loop is ${what}: ${expected}`, async (t) => {
    const config = (text: string) =>
      text.replace('limits: { ', `limits: { maxEventLoopDelay: ${limit === '100ms' ? '1s' : limit}, `);
    const service = await startService(t, { config });
    const headers = [`authorization: Bearer ${await service.mint()}`];
    const connection = await openConnection(service.url);
    t.after(() => connection.socket.destroy());
    connection.request('GET', '/v1/whoami', headers);
    assert.deepEqual(await connection.answered(1), [200]);

    connection.request('GET', '/v1/whoami', headers);
    block(1300);
    assert.deepEqual((await connection.answered(2)).slice(1), [expected]);
    assert.equal(await metric(service, 'rtv_requests_shed_total{cause="event_loop_late"}'), expected === 503 ? 1 : 0);
    assert.equal(service.records().length, 0);
    // It is on time again.
    await sleep(200);
    connection.request('GET', '/v1/whoami', headers);
    assert.deepEqual((await connection.answered(3)).slice(2), [200]);
  });
}
