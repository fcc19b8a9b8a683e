import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'node:net';
import { listen, portOf } from '../../demo/listen.ts';

/* The sandbox once hung for good when it was ended, or failed, while its parts were still opening. */

const program = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

function start(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-demo-'));
  const state = join(folder, 'state');
  const demo = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], RTV_DEMO_STATE: state, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => {
    demo.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return { demo, state, ended: once(demo, 'exit') };
}

/** Moments of the start, each told by what is on disk; `config.yaml` is there just before the service is started. */
for (const [moment, file] of [
  ['while the issuer and the database open', '.'],
  ['while the service starts', 'config.yaml'],
] as const) {
  test(`SIGTERM ${moment} ends it with status 0 and nothing left`, { timeout: 60_000 }, async (t) => {
    const { demo, state, ended } = start(t);
    while (!existsSync(join(state, file))) await sleep(5);
    demo.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!existsSync(state));
  });
}

for (const name of ['RTV_DEMO_PORT', 'RTV_DEMO_ISSUER_PORT', 'RTV_DEMO_DATABASE_PORT']) {
  test(`a ${name} that is in use is said, with status 1 and nothing left`, { timeout: 60_000 }, async (t) => {
    const taken = createServer();
    await listen(taken, 0);
    t.after(() => taken.close());
    const { demo, state, ended } = start(t, { [name]: String(portOf(taken)) });
    let said = '';
    demo.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    assert.deepEqual(await ended, [1, null]);
    assert.match(said, /The sandbox failed: .*(?:EADDRINUSE|in use)/s);
    assert.ok(!existsSync(state));
  });
}
