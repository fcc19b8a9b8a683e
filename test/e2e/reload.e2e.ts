import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testDirectory } from '../support/audit-setup.ts';
import { eventually } from '../support/eventually.ts';
import { mintJwt, post, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';
import { configOf, type Kind, kindOfAnswer } from '../support/two-configs.ts';

/* The program, the files it was started with, and what Kubernetes, editors and mishaps do to them. */

/** The figure. A change is used sooner; the machine may be busy. */
const IN_FORCE_WITHIN_MS = 2000;

/** The two parts of one configuration: the grants are in a file of their own, so that a mix would be possible. */
function partsOf(text: string): { readonly main: string; readonly grants: string } {
  const begin = text.indexOf('grants:\n');
  const end = text.indexOf('limits:');
  return {
    main: `${text.slice(0, begin)}${text.slice(end)}include: grants.d/*.yaml\n`,
    grants: text.slice(begin, end),
  };
}

type Running = {
  readonly folder: string;
  readonly pid: number;
  readonly original: string;
  ask(): Promise<Response>;
  admin(path: string): Promise<string>;
  log(): string;
  stop(): Promise<void>;
  /** Replaces all files at once, as the kubelet does with a ConfigMap. */
  swap(text: { readonly main: string; readonly grants: string }): void;
};

/** Starts the program with its configuration mounted as a ConfigMap is. */
async function start(t: TestContext): Promise<Running> {
  const folder = testDirectory(t);
  const key = writeServiceFiles(folder);
  const original = readFileSync(join(folder, 'config.yaml'), 'utf8').replace('jwks.json', '../jwks.json');
  const mount = join(folder, 'config');
  mkdirSync(join(mount, 'grants.d'), { recursive: true });
  let version = 0;
  function swap({ main, grants }: { readonly main: string; readonly grants: string }): void {
    const name = `..v${++version}`;
    mkdirSync(join(mount, name));
    writeFileSync(join(mount, name, 'config.yaml'), main);
    writeFileSync(join(mount, name, 'grants.yaml'), grants);
    symlinkSync(name, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    rmSync(join(mount, `..v${version - 1}`), { recursive: true, force: true });
  }
  swap(partsOf(configOf('a', original)));
  symlinkSync('..data/config.yaml', join(mount, 'config.yaml'));
  symlinkSync('../..data/grants.yaml', join(mount, 'grants.d/grants.yaml'));
  const { child, ended, listening } = runProgram(t, ['--config', join(mount, 'config.yaml')]);
  let log = '';
  child.stdout.on('data', (text) => (log += String(text)));
  const url = await listening;
  const [, adminUrl = ''] = /"admin_url":"([^"]+)"/.exec(log) ?? [];
  const jwt = await mintJwt(key, {});
  return {
    folder: mount,
    pid: child.pid ?? assert.fail(),
    original,
    ask: () => fetch(new URL('/v1/tokens', url), post({ database: 'orders' }, { authorization: `Bearer ${jwt}` })),
    admin: async (path) => (await fetch(new URL(path, adminUrl))).text(),
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      assert.equal((await ended).status, 0);
    },
    swap,
  };
}

async function kindInForce({ ask }: Running): Promise<Kind> {
  const response = await ask();
  const body = await response.text();
  assert.equal(response.status, 201, body);
  return kindOfAnswer(body);
}

/** Milliseconds until it answers by a configuration. */
async function untilInForce(running: Running, kind: Kind): Promise<number> {
  const begun = performance.now();
  await eventually(async () => assert.equal(await kindInForce(running), kind));
  return performance.now() - begun;
}

test('a ConfigMap that is swapped is in force within 2 s, each time', async (t) => {
  const running = await start(t);
  const took: number[] = [];
  for (const kind of ['b', 'a', 'b', 'a', 'b'] as const) {
    running.swap(partsOf(configOf(kind, running.original)));
    took.push(await untilInForce(running, kind));
  }
  t.diagnostic(`in force after ${took.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  assert.ok(Math.min(...took) < IN_FORCE_WITHIN_MS, String(took));
  assert.match(running.log(), /"files":\["[^"]*\/config\/config\.yaml","[^"]*\/config\/grants\.d\/grants\.yaml"\]/);
});

test('a broken swap keeps the last good configuration, which log, metrics and /readyz say, until the next good one', async (t) => {
  const running = await start(t);
  const { main, grants } = partsOf(configOf('b', running.original));
  running.swap({ main, grants: grants.replace('issuer: cluster', 'issuer: nobody') });
  await eventually(async () => assert.match(await running.admin('/metrics'), /rtv_config_last_reload_successful 0/));
  assert.equal(await kindInForce(running), 'a');
  const { status, checks } = JSON.parse(await running.admin('/readyz'));
  assert.equal(status, 'ready');
  assert.match(checks.configuration, /grants\.d\/grants\.yaml:3:\d+: grants\[0\]\.issuer names nobody/);
  assert.match(
    running.log(),
    /"problem":"[^"]*grants\[0\]\.issuer names nobody[^"]*","msg":"the changed configuration is not used"/,
  );
  running.swap({ main, grants });
  assert.ok((await untilInForce(running, 'b')) < 10_000);
  assert.equal(JSON.parse(await running.admin('/readyz')).checks.configuration, 'ok');
  await running.stop();
});

test('SIGHUP has it look, and say what came of it', async (t) => {
  const running = await start(t);
  process.kill(running.pid, 'SIGHUP');
  await eventually(async () => assert.match(running.log(), /the configuration in force is what the files hold/));
  assert.match(await running.admin('/metrics'), /rtv_config_reloads_total\{result="unchanged"\} 1/);
  const { main, grants } = partsOf(configOf('b', running.original));
  running.swap({ main: main.replace('port: 0', 'port: 1'), grants });
  await eventually(async () => assert.match(running.log(), /A changed server\.port needs a restart/));
  for (let n = 0; n < 20; n++) process.kill(running.pid, 'SIGHUP');
  running.swap({ main, grants });
  assert.ok((await untilInForce(running, 'b')) < 10_000);
});

test('files that are deleted keep what was in force, and are taken up when they are back', async (t) => {
  const running = await start(t);
  renameSync(join(running.folder, 'config.yaml'), join(running.folder, 'away'));
  await eventually(async () => assert.match(await running.admin('/metrics'), /rtv_config_last_reload_successful 0/));
  assert.equal(await kindInForce(running), 'a');
  running.swap(partsOf(configOf('b', running.original)));
  renameSync(join(running.folder, 'away'), join(running.folder, 'config.yaml'));
  assert.ok((await untilInForce(running, 'b')) < 10_000);
});

test('1,000 swaps and corrupt writes under load: no request fails, and no answer is of two configurations', async (t) => {
  const running = await start(t);
  const load = { isOn: true };
  const answers: Record<Kind, number> = { a: 0, b: 0 };
  const askers = Array.from({ length: 8 }, async () => {
    while (load.isOn) answers[await kindInForce(running)]++;
  });
  const good = { a: partsOf(configOf('a', running.original)), b: partsOf(configOf('b', running.original)) };
  let changes = 0;
  while (changes < 1000) {
    const kind = (changes / 10) % 2 < 1 ? 'b' : 'a';
    const other = kind === 'a' ? 'b' : 'a';
    for (let n = 0; n < 9; n++, changes++) {
      const { main, grants } = good[n % 2 === 0 ? other : kind];
      // Half of each other, half written, nothing at all; and good ones that are gone before anybody looked.
      if (n % 4 === 0) running.swap({ main: main.slice(0, main.length / 2), grants });
      else if (n % 4 === 1) running.swap({ main, grants: grants.slice(0, -20) });
      else if (n % 4 === 2) writeFileSync(join(running.folder, '..data/config.yaml'), '');
      else running.swap({ main, grants });
      await pause(5);
    }
    running.swap(good[kind]);
    changes++;
    // Now and then they rest for long enough to be used.
    await pause(changes % 50 === 0 ? 1000 : 100);
  }
  const last = (changes / 10 - 1) % 2 < 1 ? 'b' : 'a';
  await eventually(async () => assert.equal(await kindInForce(running), last));
  load.isOn = false;
  await Promise.all(askers);
  const [, applied] = /rtv_config_reloads_total\{result="applied"\} (\d+)/.exec(await running.admin('/metrics')) ?? [];
  await running.stop();
  const records = readSqliteRecords(join(running.folder, 'data', 'audit.db'));
  const kinds = new Map<string, Set<string>>();
  for (const { outcome, grant, user, config_hash } of records) {
    assert.equal(outcome, 'issued');
    const kind = `${String(grant).slice(-1)}${String(user).slice(-1)}`;
    kinds.set(config_hash, (kinds.get(config_hash) ?? new Set()).add(kind));
  }
  for (const [hash, seen] of kinds) assert.match([...seen].join(), /^(aa|bb)$/, hash);
  assert.ok(records.length >= answers.a + answers.b);
  t.diagnostic(`${JSON.stringify(answers)}; ${String(applied)} configurations were put in force`);
  assert.ok(answers.a > 100 && answers.b > 100, JSON.stringify(answers));
});
