import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/* The README as a newcomer follows it: its commands as written, with the real curl and psql. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, secondTerminal = ''] = [...readme.matchAll(/```sh\n([^`]*)```/g)].map(([, text = '']) => text);

const demo = spawn('npm', ['run', 'demo'], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
let printed = '';

before(async () => {
  const lines = createInterface({ input: demo.stdout });
  for await (const line of lines) {
    printed += `${line}\n`;
    if (line.includes('Ctrl-C')) break;
  }
  assert.match(printed, /The sandbox is up/);
});
after(() => {
  const group = -(demo.pid ?? 0);
  if (group !== 0 && isThere(group)) process.kill(group, 'SIGKILL');
});

function shell(script: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('sh', ['-ec', script], { cwd: root, encoding: 'utf8' });
}

const TOKEN = secondTerminal.split('\n').slice(0, 2).join('\n');

test("the README's second terminal, as written, logs in as app_rw", () => {
  const { status, stdout, stderr } = shell(secondTerminal);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /current_user[^]*app_rw[^]*1 row/);
});

test('every line that the sandbox prints to paste works as printed', () => {
  const lines = printed
    .slice(printed.indexOf('In another terminal'))
    .split('\n')
    .filter((line) => line.startsWith('  '));
  assert.ok(lines.length >= 11, printed);
  const { stdout, stderr } = spawnSync('sh', ['-c', lines.join('\n')], { cwd: root, encoding: 'utf8' });
  assert.match(stdout, /app_rw +\| /);
  // The recipe, and the agent.
  assert.match(stdout, /^app_rw$/m);
  assert.match(stdout, /"msg":"the files hold a new token"/);
  assert.match(
    stderr,
    /FATAL: +PAM authentication failed for user "app_ro"[^]*FATAL: +PAM authentication failed for user "app_rw"/,
  );
  for (const expected of [
    '"user":"app_ro"',
    '"grants":["dba"]',
    '"users":["dba_admin"]',
    'problem:not-granted',
    '"kid":"demo-3"',
    ',refused,not_granted,',
    '"status":"ready"',
  ]) {
    assert.ok(stdout.includes(expected), `${expected} is not in ${stdout}`);
  }
});

test('psql is refused without TLS, and with a CA that is not the right one', () => {
  const plain = shell(`${TOKEN}\nPGPASSWORD=$TOKEN psql "sslmode=disable user=app_rw" -c 'select 1' 2>&1 || true`);
  assert.match(plain.stdout, /no pg_hba\.conf entry .* no encryption/);
  const wrong = shell(
    `${TOKEN}\ncurl -sf $VENDOR_URL/v1/ca-bundles/us-west-2.pem > demo/.state/other.pem
     PGSSLROOTCERT=demo/.state/other.pem PGPASSWORD=$TOKEN psql "sslmode=verify-full user=app_rw" -c 'select 1' 2>&1 || true`,
  );
  assert.match(wrong.stdout, /certificate verify failed/);
});

test('the renderings are read by the programs they are for', () => {
  const get = (format: string) =>
    `curl -sf -d user=app_ro -d format=${format} -H "Authorization: Bearer $JWT_APP" $VENDOR_URL/v1/tokens`;
  const start = '. demo/.state/env\n';
  const query = `-At -c "select current_user, current_setting('application_name')"`;
  const env = shell(`${start}eval "$(${get('env')})"\npsql ${query}`);
  assert.match(env.stdout, /^app_ro\|rtv:[0-9a-f-]{36}$/m, env.stderr);
  const uri = shell(`${start}psql "$(${get('uri')})" ${query}`);
  assert.match(uri.stdout, /^app_ro\|rtv:[0-9a-f-]{36}$/m, uri.stderr);
  const pgpass = shell(
    `${start}umask 077\n${get('pgpass')} > demo/.state/pgpass\nPGPASSFILE=demo/.state/pgpass psql "sslmode=verify-full user=app_ro" ${query}`,
  );
  assert.match(pgpass.stdout, /^app_ro\|psql$/m, pgpass.stderr);
});

test('Ctrl-C ends everything and leaves neither files nor processes', async () => {
  const ports = ['VENDOR_URL', 'ADMIN_URL', 'ISSUER_URL'].map(
    (name) => shell(`. demo/.state/env\nprintf %s "$${name}"`).stdout,
  );
  // What a terminal does: the signal goes to the whole foreground group, npm included.
  const group = -(demo.pid ?? assert.fail('no process'));
  process.kill(group, 'SIGINT');
  while (isThere(group)) await sleep(50);
  assert.ok(!existsSync(`${root}demo/.state`));
  for (const url of ports) await assert.rejects(fetch(url), url);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
