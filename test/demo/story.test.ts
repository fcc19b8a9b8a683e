import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

function runDemo(args: readonly string[], env: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
}

test('the whole story holds, prints its eleven steps and leaves nothing behind', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-demo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  const { status, stdout, stderr } = runDemo(['--story-only'], { RTV_DEMO_STATE: state });
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(
    [...stdout.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
  assert.equal(stdout.match(/FATAL: PAM authentication failed for user/g)?.length, 3);
  // Neither the whole JWT nor a signature is printed.
  assert.ok(!/eyJ[\w-]+\.[\w-]+\.|X-Amz-Signature/.test(stdout));
  assert.ok(!existsSync(state));
});

test('a wrong option or port is said, with status 1', () => {
  const option = runDemo(['--nonsense'], {});
  assert.deepEqual([option.status, option.stderr.includes('There is no option --nonsense')], [1, true]);
  const port = runDemo(['--story-only'], { RTV_DEMO_PORT: '99999' });
  assert.deepEqual([port.status, port.stderr.includes('RTV_DEMO_PORT is not a port')], [1, true]);
});

test('it stays up with an env file, and SIGINT ends it with status 0 and nothing left', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-demo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  const env = { PATH: process.env['PATH'], RTV_DEMO_STATE: state };
  const demo = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => demo.kill('SIGKILL'));
  for await (const line of createInterface({ input: demo.stdout })) if (line.includes('Ctrl-C')) break;
  const names = [...readFileSync(join(state, 'env'), 'utf8').matchAll(/^export (\w+)='[^']+'$/gm)].map(
    ([, name]) => name,
  );
  const expected =
    'VENDOR_URL ADMIN_URL ISSUER_URL JWT_APP JWT_DBA JWT_AUDITOR JWT_STRANGER PGHOST PGPORT PGSSLROOTCERT PGDATABASE PG_USER RTV_URL RTV_JWT_FILE RTV_DATABASE RTV_USER';
  assert.deepEqual(names, expected.split(' '));
  const ended = once(demo, 'exit');
  demo.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.ok(!existsSync(state));
});
