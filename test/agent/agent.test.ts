import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../demo/listen.ts';
import { AgentFailure } from '../../src/agent/agent-failure.ts';
import { type AgentOptions, createAgent } from '../../src/agent/agent.ts';
import { serveHealth } from '../../src/agent/health.ts';
import { notify } from '../../src/agent/notify.ts';
import { startTiming } from '../../src/agent/passed-time.ts';
import { backOffMs, refreshMs } from '../../src/agent/refresh-times.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningService, startService } from '../support/running-service.ts';

type Changes = { readonly [Key in keyof AgentOptions]?: AgentOptions[Key] };

async function agentOf(t: TestContext, service: Pick<RunningService, 'url' | 'mint'>, changes: Changes = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const jwtFile = join(folder, 'jwt');
  writeFileSync(jwtFile, `${await service.mint()}\n`);
  const logged: unknown[] = [];
  const times = { wall: 0, monotonic: 0 };
  const options: AgentOptions = {
    wanted: { url: service.url.replace(/\/$/, ''), jwtFile, database: 'orders', user: 'app_rw' },
    files: [{ format: 'pgpass', path: join(folder, 'pgpass') }],
    mode: 0o600,
    caFile: join(folder, 'ca.pem'),
    notice: undefined,
    ...changes,
  };
  const log = (...args: unknown[]) => void logged.push(args);
  const killed: [number, string][] = [];
  const waits: { readonly ms: number; readonly resolve: () => void }[] = [];
  let resolveLast: (() => void) | undefined;
  /** Lets the last wait end, and gives how long the next one is to be. */
  async function look(): Promise<number> {
    resolveLast?.();
    const wait = await eventually(() => Promise.resolve(waits.shift() ?? assert.fail('it does not wait')));
    resolveLast = wait.resolve;
    return wait.ms;
  }
  const agent = createAgent(options, {
    logger: { info: log, error: log },
    clocks: { wall: () => times.wall, monotonic: () => times.monotonic },
    random: () => 0,
    pause: (ms) =>
      new Promise((resolve) => {
        waits.push({ ms, resolve });
      }),
    kill: (pid, signal) => void killed.push([pid, signal]),
  });
  return {
    agent,
    folder,
    jwtFile,
    logged,
    times,
    killed,
    look,
    letGo: () => resolveLast?.(),
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
  };
}

/** A service of another kind than ours. */
async function foreignService(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return { url: `http://127.0.0.1:${address.port}`, mint: () => Promise.resolve('a.b.c') };
}

const never = new AbortController().signal;

test('once writes the token, mode 0600, and the CA bundle, and leaves nothing beside them', async (t) => {
  const service = await startService(t);
  const { agent, folder, read } = await agentOf(t, service);
  assert.equal(await agent.once(1000, never), true);
  assert.match(read('pgpass'), /^orders\.cluster-abc.*:5432:orders:app_rw:orders/);
  assert.match(read('ca.pem'), /^-----BEGIN CERTIFICATE/);
  assert.deepEqual(
    [statSync(join(folder, 'pgpass')).mode & 0o777, statSync(join(folder, 'ca.pem')).mode & 0o777],
    [0o600, 0o644],
  );
  assert.deepEqual(readdirSync(folder).sort(), ['ca.pem', 'jwt', 'pgpass']);
  const { fresh, auditId, failuresInARow } = agent.state();
  assert.deepEqual([fresh, failuresInARow], [true, 0]);
  assert.equal(service.records()[0]?.id, auditId);
});

test('several files hold one token, and the log holds none', async (t) => {
  const service = await startService(t);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-files-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const formats = ['token', 'env', 'json', 'uri', 'jdbc'] as const;
  const files = formats.map((format) => ({ format, path: join(folder, format) }));
  const { agent, logged } = await agentOf(t, service, { files, caFile: undefined });
  assert.equal(await agent.once(1000, never), true);
  const token = readFileSync(join(folder, 'token'), 'utf8');
  assert.equal(JSON.parse(readFileSync(join(folder, 'json'), 'utf8')).token, token);
  assert.ok(readFileSync(join(folder, 'env'), 'utf8').includes(token));
  assert.equal(service.records().length, 1);
  assert.ok(!JSON.stringify(logged).includes('X-Amz'));
});

test('a link in a file’s place is replaced, and what it led to stays', async (t) => {
  const service = await startService(t);
  const { agent, folder, read } = await agentOf(t, service);
  writeFileSync(join(folder, 'victim'), 'keep');
  symlinkSync('victim', join(folder, 'pgpass'));
  assert.equal(await agent.once(1000, never), true);
  assert.equal(read('victim'), 'keep');
  assert.match(read('pgpass'), /^orders/);
});

test('the JWT is read again for each token', async (t) => {
  const service = await startService(t);
  const { agent, jwtFile } = await agentOf(t, service);
  writeFileSync(jwtFile, await service.mint({ exp: 1 }));
  assert.equal(await agent.once(1, never), false);
  assert.match(agent.state().lastFailure ?? '', /answered 401 token-invalid$/);
  writeFileSync(jwtFile, await service.mint());
  assert.equal(await agent.once(1, never), true);
  assert.equal(agent.state().lastFailure, null);
});

for (const [name, content, why] of [
  ['no file', undefined, /cannot be read/],
  ['an empty file', '', /holds no JWT/],
  ['a header in the file', 'a.b.c\r\nX-Evil: 1', /holds no JWT/],
] as const) {
  test(`${name} instead of a JWT is a failure that is tried again, and nothing is written`, async (t) => {
    const service = await startService(t);
    const { agent, folder, jwtFile } = await agentOf(t, service);
    rmSync(jwtFile);
    if (content !== undefined) writeFileSync(jwtFile, content);
    assert.equal(await agent.once(1, never), false);
    assert.match(agent.state().lastFailure ?? '', why);
    assert.ok(!readdirSync(folder).includes('pgpass'));
  });
}

for (const [name, listener] of [
  ['no JSON', (_request, response) => response.writeHead(201).end('hello')],
  ['JSON without a token', (_request, response) => response.writeHead(201).end('{"ca_bundle":{}}')],
  ['null', (_request, response) => response.writeHead(201).end('null')],
  ['an answer without an end', (_request, response) => response.writeHead(201).end('x'.repeat(5_000_000))],
  ['a redirect', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ['a hang-up', (request) => request.socket.destroy()],
] as const satisfies readonly (readonly [string, RequestListener])[]) {
  test(`a service that answers with ${name} is a failure, and files stay as they were`, async (t) => {
    const { agent, folder, read } = await agentOf(t, await foreignService(t, listener));
    writeFileSync(join(folder, 'pgpass'), 'old');
    assert.equal(await agent.once(1, never), false);
    assert.equal(read('pgpass'), 'old');
    assert.equal(agent.state().fresh, false);
  });
}

test('facts that no file can hold are a failure, and do not end the agent', async (t) => {
  const service = await startService(t);
  const form = { method: 'POST', body: 'database=orders&user=app_rw' };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await (await service.ask('/v1/tokens', { ...form, headers })).text();
  for (const [changed, why] of [
    [answer.replace('"user":"app_rw"', '"user":"app_rw\\nx"'), /cannot be rendered as pgpass/],
    [answer.replace(/"connection":\{.*?\}/, '"connection":{}'), /is not what it should be/],
    [answer.replace('"engine":"postgres"', '"engine":"oracle"'), /pgpass is not for oracle/],
  ] as const) {
    assert.notEqual(changed, answer);
    const foreign = await foreignService(t, (_request, response) => response.writeHead(201).end(changed));
    const { agent, folder } = await agentOf(t, foreign, { caFile: undefined });
    assert.equal(await agent.once(1, never), false);
    assert.match(agent.state().lastFailure ?? '', why);
    assert.deepEqual(readdirSync(folder), ['jwt']);
  }
});

test('a CA bundle that is not the one the answer named is not written, and neither is the token', async (t) => {
  const service = await startService(t);
  const answer = await (
    await service.ask('/v1/tokens', {
      method: 'POST',
      body: 'database=orders&user=app_rw',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  ).text();
  const foreign = await foreignService(t, ({ method }, response) => {
    if (method === 'POST') response.writeHead(201).end(answer);
    else response.writeHead(200).end('-----BEGIN CERTIFICATE-----');
  });
  const { agent, folder } = await agentOf(t, foreign);
  assert.equal(await agent.once(1, never), false);
  assert.match(agent.state().lastFailure ?? '', /not the one that the answer named/);
  assert.deepEqual(readdirSync(folder), ['jwt']);
});

test('a format that cannot hold the token is a failure before anything is written', async (t) => {
  const service = await startService(t);
  const files = [{ format: 'my_cnf', path: '/nowhere/my.cnf' }] as const;
  const { agent, folder } = await agentOf(t, service, { files });
  assert.equal(await agent.once(1, never), false);
  assert.match(agent.state().lastFailure ?? '', /my_cnf is not for postgres/);
  assert.deepEqual(readdirSync(folder), ['jwt']);
});

test('what stays wrong is not tried again by once, and the log says what to mend and which record has more', async (t) => {
  const service = await startService(t);
  const { jwtFile } = await agentOf(t, service);
  const right = { url: service.url.replace(/\/$/, ''), jwtFile, database: 'orders', user: 'app_rw' };
  for (const [changes, why, isRecorded] of [
    [{ wanted: { ...right, user: undefined } }, /answered 400 choice-ambiguous: several choices .* --user/, true],
    [{ wanted: { ...right, url: `${right.url}/x` } }, /404 not-found: --url is not the address of the service$/, false],
    [{ files: [{ format: 'my_cnf', path: '/nowhere/my.cnf' }] }, /my_cnf is not for postgres$/, false],
  ] as const) {
    const before = service.records().length;
    const { agent, logged } = await agentOf(t, service, changes);
    assert.equal(await agent.once(60_000, never), false);
    assert.match(agent.state().lastFailure ?? '', why);
    assert.equal(logged.length, 2);
    assert.match(JSON.stringify(logged[1]), /given up: no token was written/);
    const record = service.records()[before];
    if (isRecorded) assert.ok(JSON.stringify(logged[0]).includes(`"audit_id":"${record?.id}"`));
  }
});

test('a 404 of another program is tried again: the service behind it may be starting', async (t) => {
  let asked = 0;
  const foreign = await foreignService(t, (_request, response) => {
    asked += 1;
    response.writeHead(404, { 'content-type': 'text/html' }).end('<p>no backend');
  });
  const { agent, look, times, letGo } = await agentOf(t, foreign);
  const trying = agent.once(1000, never);
  await look();
  assert.equal(asked, 1);
  times.wall += 500;
  letGo();
  assert.equal(await trying, false);
  assert.equal(asked, 2);
});

test('a JWT that is given as the name of its file is shown nowhere', async (t) => {
  const service = await startService(t);
  const wanted = { url: service.url.replace(/\/$/, ''), jwtFile: await service.mint() };
  const { agent, logged } = await agentOf(t, service, { wanted });
  assert.equal(await agent.once(60_000, never), false);
  assert.equal(agent.state().lastFailure, 'the name of the JWT’s file is a JWT');
  assert.ok(!JSON.stringify([agent.state(), logged]).includes('eyJ'));
});

test('a service that speaks no TLS, and one that is not there, are told apart', async (t) => {
  const { jwtFile } = await agentOf(t, await startService(t));
  const plain = await foreignService(t, (_request, response) => response.end());
  const gone = `http://127.0.0.1:${await freePort()}`;
  for (const [url, why] of [
    [plain.url.replace('http:', 'https:'), /cannot be reached: there is no TLS at that port$/],
    [gone, /cannot be reached: ECONNREFUSED$/],
  ] as const) {
    const { agent } = await agentOf(t, plain, { wanted: { url, jwtFile } });
    assert.equal(await agent.once(1, never), false);
    assert.match(agent.state().lastFailure ?? '', why);
  }
});

test('what a proxy’s page echoes is shown nowhere', async (t) => {
  const foreign = await foreignService(t, ({ headers, method }, response) => {
    response
      .writeHead(method === 'POST' ? 502 : 200, { 'content-type': 'text/html' })
      .end(String(headers.authorization));
  });
  const { agent, logged } = await agentOf(t, foreign);
  assert.equal(await agent.once(1, never), false);
  assert.match(agent.state().lastFailure ?? '', /answered 502$/);
  assert.ok(!JSON.stringify([agent.state(), logged]).includes('a.b.c'));
});

test('a token without a life is a failure, and not asked for again at once', async (t) => {
  const at = '2026-11-27T10:00:00.000Z';
  const answer = { token: 't', issued_at: at, expires_at: at, refresh_after: at, ca_bundle: {}, connection: {} };
  const foreign = await foreignService(t, (_request, response) => response.writeHead(201).end(JSON.stringify(answer)));
  const { agent } = await agentOf(t, foreign);
  assert.equal(await agent.once(1, never), false);
});

test('Retry-After is kept to where it is longer than the own wait', async (t) => {
  const foreign = await foreignService(t, (_request, response) =>
    response.writeHead(503, { 'retry-after': '77' }).end('{}'),
  );
  const { agent, logged } = await agentOf(t, foreign);
  assert.equal(await agent.once(1, never), false);
  assert.match(JSON.stringify(logged), /"retry_in_ms":77000/);
});

test('files are refreshed when the wall clock says so though the machine slept, and a process is told each time', async (t) => {
  const service = await startService(t);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-pid-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'pid'), '4242\n');
  const notice = { kind: 'signal', signal: 'SIGHUP', pidFile: join(folder, 'pid') } as const;
  const { agent, times, killed, look, letGo } = await agentOf(t, service, { notice });
  const ending = new AbortController();
  const running = agent.run(ending.signal);
  assert.equal(await look(), 30_000);
  assert.equal(killed.length, 1);
  times.wall += 599_000;
  assert.equal(await look(), 1000);
  assert.equal(killed.length, 1);
  times.wall += 1000;
  assert.equal(await look(), 30_000);
  assert.deepEqual(killed, [
    [4242, 'SIGHUP'],
    [4242, 'SIGHUP'],
  ]);
  assert.equal(agent.state().fresh, true);
  times.monotonic += 900_000;
  assert.equal(agent.state().fresh, false);
  ending.abort();
  letGo();
  await running;
});

test('whoever cannot be told leaves the files right, and the failure is shown', async (t) => {
  const service = await startService(t);
  const { agent, read } = await agentOf(t, service, { notice: { kind: 'command', command: 'exit 3' } });
  assert.equal(await agent.once(1000, never), true);
  assert.match(read('pgpass'), /^orders/);
  assert.equal(agent.state().lastFailure, 'the command failed: it ended with 3');
});

for (const text of ['', '0', '1', '-1', 'self', '12.5']) {
  test(`${JSON.stringify(text)} is no process id that a signal is sent to`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-pid-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'pid'), text);
    const notice = { kind: 'signal', signal: 'SIGHUP', pidFile: join(folder, 'pid') } as const;
    await assert.rejects(
      notify(notice, () => assert.fail('a signal was sent')),
      AgentFailure,
    );
  });
}

test('a command that takes too long ends with all that it started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-hook-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'pid');
  const notice = { kind: 'command', command: `sleep 60 & echo $! > ${file}; wait; true` } as const;
  const kill = (pid: number, signal: NodeJS.Signals) => void process.kill(pid, signal);
  await assert.rejects(notify(notice, kill, 300), /the command failed: it ended with SIGKILL/);
  const pid = Number(readFileSync(file, 'utf8'));
  await eventually(() => Promise.resolve(assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })));
});

test('a command that ends as it is killed harms nobody', async () => {
  const notice = { kind: 'command', command: 'sleep 0.4' } as const;
  const kill = () => {
    throw new Error('ESRCH');
  };
  await notify(notice, kill, 100);
});

test('the command sees neither the token nor the JWT', async (t) => {
  const service = await startService(t);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-agent-env-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const seen = join(folder, 'seen');
  const command = `tr '\\0' '\\n' < /proc/self/environ > ${seen}; tr '\\0' '\\n' < /proc/$$/cmdline >> ${seen}`;
  const { agent } = await agentOf(t, service, { notice: { kind: 'command', command } });
  assert.equal(await agent.once(1000, never), true);
  const text = readFileSync(seen, 'utf8');
  assert.ok(!/X-Amz|eyJ/.test(text));
});

test('waits double from 1 s to 60 s, and are spread', () => {
  assert.deepEqual(
    [1, 2, 3, 7, 50].map((failures) => backOffMs(failures, () => 1)),
    [1000, 2000, 4000, 60_000, 60_000],
  );
  assert.equal(
    backOffMs(1, () => 0),
    500,
  );
  const token = { refreshMs: 600_000, lifeMs: 900_000 };
  assert.deepEqual([refreshMs(token, () => 0), refreshMs(token, () => 1)], [600_000, 630_000]);
});

test('time passes by the clock that saw more of it', () => {
  const times = { wall: 1_000_000, monotonic: 5 };
  const passed = startTiming({ wall: () => times.wall, monotonic: () => times.monotonic });
  times.wall -= 3600;
  times.monotonic += 10;
  assert.equal(passed(), 10);
  times.wall += 10_000;
  assert.equal(passed(), 6400);
});

test('health is 503 until there is a token, 200 while it lives, and shows no secret', async (t) => {
  const service = await startService(t);
  const { agent, times } = await agentOf(t, service);
  const health = await serveHealth({ host: '127.0.0.1', port: 0 }, agent.state);
  t.after(() => health.close());
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
    return [response.status, await response.text()] as const;
  };
  assert.equal((await ask('/readyz'))[0], 503);
  assert.equal((await ask('/livez'))[0], 200);
  assert.equal((await ask('/'))[0], 404);
  await agent.once(1000, never);
  const [status, text] = await ask('/readyz?x');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), {
    ...JSON.parse(text),
    status: 'fresh',
    failures_in_a_row: 0,
    last_failure: null,
  });
  assert.ok(!/X-Amz|eyJ/.test(text));
  times.wall += 900_000;
  assert.equal((await ask('/readyz'))[0], 503);
});
