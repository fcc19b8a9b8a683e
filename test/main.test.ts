import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintJwt, post, SECRET_KEY, writeServiceFiles } from './support/running-service.ts';
import { runProgram } from './support/service-process.ts';
import { readSqliteRecords } from './support/sqlite-records.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rtv-main-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('SIGTERM drains: what is under way is answered and recorded, and the exit status is 0', async (t) => {
  const path = folder(t);
  const key = writeServiceFiles(path);
  const { child, ended, listening } = runProgram(t, ['--config', join(path, 'config.yaml')]);
  const url = await listening;
  const init = post({ database: 'orders', user: 'app_rw' }, { authorization: `Bearer ${await mintJwt(key, {})}` });
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(new URL('/v1/tokens', url), init)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  const underWay = fetch(new URL('/v1/tokens', url), init).then(
    ({ status }) => status,
    () => 'refused',
  );
  child.kill('SIGTERM');
  const { status, stdout, stderr } = await ended;
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /"msg":"drained"/);
  const issued = readSqliteRecords(join(path, 'data', 'audit.db')).filter(({ outcome }) => outcome === 'issued');
  assert.equal(issued.length, 20 + ((await underWay) === 201 ? 1 : 0));
  assert.ok(!stdout.includes(SECRET_KEY) && !stdout.includes('eyJ') && !stdout.includes('X-Amz'));
});

test('a signal that comes twice at once, as npm hands it on, still drains; one that comes later gives the drain up', async (t) => {
  const path = folder(t);
  writeServiceFiles(path, (text) => text.replace('adminPort: 0 }', 'adminPort: 0, drainDelay: 3s }'));
  for (const [pause, ends] of [
    [0, [0, '"drained"']],
    [1500, [1, 'the drain is given up']],
  ] as const) {
    const { child, ended, listening } = runProgram(t, ['--config', join(path, 'config.yaml')]);
    await listening;
    child.kill('SIGTERM');
    if (pause > 0) await sleep(pause);
    else await new Promise(setImmediate);
    child.kill('SIGTERM');
    child.kill('SIGINT');
    const { status, stdout } = await ended;
    assert.equal(status, ends[0], stdout);
    assert.ok(stdout.includes(ends[1]), stdout);
  }
});

test('every token that reached a client before kill -9 has its record, in each of three rounds', async (t) => {
  const path = folder(t);
  const key = writeServiceFiles(path);
  const authorization = `Bearer ${await mintJwt(key, {})}`;
  const received: string[] = [];
  for (const last of [1, 150, 400]) {
    const { child, ended, listening } = runProgram(t, ['--config', join(path, 'config.yaml')]);
    const url = new URL('/v1/tokens', await listening);
    const before = received.length;
    const askOn = async (): Promise<void> => {
      for (;;) {
        const response = await fetch(url, post({ database: 'orders', user: 'app_rw' }, { authorization }));
        const { audit_id: id } = JSON.parse(await response.text());
        if (response.status === 201) received.push(id);
        if (received.length - before >= last) child.kill('SIGKILL');
      }
    };
    // Each client ends when its connection does.
    await Promise.allSettled(Array.from({ length: 16 }, askOn));
    await ended;
    assert.ok(received.length - before >= last);
  }
  const recorded = new Set(readSqliteRecords(join(path, 'data', 'audit.db')).map(({ id }) => id));
  assert.deepEqual(
    received.filter((id) => !recorded.has(id)),
    [],
  );
});

test('check says that a configuration is good, or everything that is wrong with it and where', async (t) => {
  const path = folder(t);
  writeServiceFiles(path);
  const file = join(path, 'config.yaml');
  const good = await runProgram(t, ['check'], { RTV_CONFIG: file }).ended;
  assert.equal(good.status, 0);
  assert.match(good.stdout, /^The configuration is good: 1 issuer, 2 databases, 2 grants\./);
  writeServiceFiles(path, (text) =>
    text.replace('audiences: [vendor]', 'audiences: []').replace('users: [app_ro]', 'users: ["*"]'),
  );
  for (const command of ['check', 'serve']) {
    const bad = await runProgram(t, [command, '-c', file]).ended;
    assert.deepEqual([bad.status, bad.stdout], [1, '']);
    assert.match(bad.stderr, /config\.yaml:5:\d+: .+\n.*config\.yaml:2\d:\d+: .+\n2 problems/);
  }
});

test('a wrong call says how to call it, with status 2', async (t) => {
  const calls = [['serve'], ['check', '--confg', 'x'], ['nonsense'], ['serve', '--config', 'a', 'b']];
  for (const args of calls) {
    const { status, stderr } = await runProgram(t, args).ended;
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /Usage: rds-token-vendor/);
  }
  assert.match((await runProgram(t, ['--help']).ended).stdout, /^Usage/);
  assert.match((await runProgram(t, ['--version']).ended).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a start that cannot be says why and has status 1: no CA bundle, a wrong SHA-256, a store that is no store', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'ca.pem'), 'not the file');
  writeFileSync(join(path, 'odd.db'), 'not a database, but long enough to be looked at as one '.repeat(40));
  const cases: [change: (text: string) => string, why: RegExp][] = [
    [(text) => text.replaceAll('us-west-2', 'il-central-1'), /il-central-1, which is not built in/],
    [
      (text) =>
        text.replace(
          'region: us-west-2',
          `region: us-west-2\n    caBundle: { file: ca.pem, sha256: ${'a'.repeat(64)} }`,
        ),
      /has the SHA-256 .* but aaaa/,
    ],
    [
      (text) => `${text}audit: { store: { type: sqlite, path: odd.db } }\n`,
      /cannot open the audit store .*odd\.db: file is not a database/,
    ],
  ];
  for (const [change, why] of cases) {
    writeServiceFiles(path, change);
    const { status, stderr } = await runProgram(t, ['serve', '-c', join(path, 'config.yaml')]).ended;
    assert.equal(status, 1);
    assert.match(stderr, why);
  }
});
