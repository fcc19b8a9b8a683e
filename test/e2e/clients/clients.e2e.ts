import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCa } from '../../../demo/certificate-authority.ts';
import { type Database, type Recipe, recipes, versionOf, whyNot } from './recipes.ts';
import { type RecipeEnd, runRecipe, startRecipe } from './run-recipe.ts';
import { COMPRESSED, HOST, setUpStage, type Stage } from './stage.ts';

/*
 * Every recipe of examples/clients, as it is, against a real server that checks tokens as RDS does, in each case that
 * users meet. The table at the end says what ran, with which versions, and what could not run here and why.
 */

/** Who the session is, the audit id that it carries, and whether it is encrypted. */
const STATEMENT: Record<Database, string> = {
  PostgreSQL: `select current_user || ' ' || current_setting('application_name') || ' ' || (select ssl from pg_stat_ssl where pid = pg_backend_pid())`,
  MariaDB: `select convert(concat(substring_index(current_user(), '@', 1), ' rtv:', coalesce(@rtv_audit_id, (select attr_value from performance_schema.session_connect_attrs where processlist_id = connection_id() and attr_name = 'rtv_audit_id')), ' ', if((select variable_value from information_schema.session_status where variable_name = 'Ssl_cipher') <> '', 'true', 'false')) using utf8mb4)`,
};
const SESSION = /^app_rw rtv:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} true$/;
const REFUSED = /PAM authentication failed for user \\?"app_rw|Access denied for user 'app_rw'/;
const CASES = [
  'right user, 330 bytes',
  'right user, over 2 KB',
  'wrong user',
  'altered token',
  'expired token',
  'plaintext',
  'wrong CA',
  'wrong host name',
  'pool, ten minutes',
] as const;
type Case = (typeof CASES)[number];

const all = recipes();
const able = all.filter((recipe) => whyNot(recipe) === undefined);
const passed = new Map<string, Set<Case>>(all.map(({ file }) => [file, new Set()]));

describe('recipes against real servers:', { timeout: 600_000 }, () => {
  test('every case', { timeout: 600_000 }, async (t) => {
    const stage = await setUpStage(t);
    const versions = {
      PostgreSQL: await stage.servers.PostgreSQL.version(),
      MariaDB: await stage.servers.MariaDB.version(),
    };
    after(() => printTable(versions));

    for (const [name, service, bytes] of [
      ['right user, 330 bytes', 'small', [300, 400]],
      ['right user, over 2 KB', 'large', [2048, 4096]],
    ] as const) {
      await eachRecipe(t, name, async (recipe) => {
        const end = await runRecipe(recipe, stage.hostsFile, stage.env(recipe, service), STATEMENT[recipe.database]);
        assert.equal(end.status, 0, end.stderr);
        assert.match(end.stdout.trim(), SESSION);
      });
      const attempts = stage.check.attempts();
      assert.deepEqual(
        attempts.filter(({ refused }) => refused !== undefined),
        [],
      );
      assert.ok(attempts.every(({ tokenBytes }) => tokenBytes >= bytes[0] && tokenBytes <= bytes[1]));
      stage.check.forget();
    }

    await eachRecipe(t, 'wrong user', async (recipe) => {
      refused(
        await runRecipe(recipe, stage.hostsFile, stage.env(recipe, 'large', 'wrong-user'), STATEMENT[recipe.database]),
      );
    });
    onlyRefusedFor(stage, 'it is for another user');

    await eachRecipe(t, 'altered token', async (recipe) => {
      refused(
        await runRecipe(
          recipe,
          stage.hostsFile,
          stage.env(recipe, 'large', 'altered-token'),
          STATEMENT[recipe.database],
        ),
      );
    });
    onlyRefusedFor(stage, 'its signature is wrong');

    stage.check.setClockAhead(901_000);
    await eachRecipe(t, 'expired token', async (recipe) => {
      refused(await runRecipe(recipe, stage.hostsFile, stage.env(recipe, 'large'), STATEMENT[recipe.database]));
    });
    stage.check.setClockAhead(0);
    onlyRefusedFor(stage, 'it has expired');

    await eachRecipe(t, 'plaintext', async (recipe) => {
      const env = stage.env(recipe, 'large', 'plaintext');
      const { status, stdout } = await runRecipe(recipe, stage.hostsFile, env, STATEMENT[recipe.database]);
      assert.notEqual(status, 0, stdout);
      assert.doesNotMatch(stdout, SESSION);
      assert.ok(!stage.stripping[recipe.database].seen().includes('X-Amz-'), 'the token went over the wire in clear');
    });
    nobodyAsked(stage);

    await present(stage, await (await makeCa('another CA')).issue({ dnsNames: Object.values(HOST) }));
    await eachRecipe(t, 'wrong CA', async (recipe) => {
      notConnected(await runRecipe(recipe, stage.hostsFile, stage.env(recipe, 'large'), STATEMENT[recipe.database]));
    });
    nobodyAsked(stage);

    await present(stage, await stage.ca.issue({ dnsNames: ['other.example'] }));
    await eachRecipe(t, 'wrong host name', async (recipe) => {
      notConnected(await runRecipe(recipe, stage.hostsFile, stage.env(recipe, 'large'), STATEMENT[recipe.database]));
    });
    nobodyAsked(stage);
    await present(stage, stage.certificate);

    await t.test('pool, ten minutes: sixty times as fast, while sessions are ended', { timeout: 120_000 }, (t) =>
      tenMinutes(t, stage),
    );
  });
});

/** Runs a case for every recipe that can run here, two at a time. */
async function eachRecipe(t: TestContext, name: Case, run: (recipe: Recipe) => Promise<void>): Promise<void> {
  await t.test(name, { concurrency: 2 }, async (t) => {
    const waiting = [...able];
    async function worker(): Promise<void> {
      for (let recipe = waiting.shift(); recipe !== undefined; recipe = waiting.shift()) {
        const current = recipe;
        await t.test(current.file, async () => {
          await run(current);
          passed.get(current.file)?.add(name);
        });
      }
    }
    await Promise.all([worker(), worker()]);
  });
}

/** Every recipe asks on, and between its questions all sessions are ended, through two refreshes. */
async function tenMinutes(t: TestContext, stage: Stage): Promise<void> {
  stage.check.forget();
  stage.check.setClockAhead(-590_000);
  stage.check.setOldest(COMPRESSED.lifeMs);
  const runs = able.map((recipe) => ({
    recipe,
    run: startRecipe(recipe, stage.hostsFile, stage.env(recipe, 'compressed')),
    sessions: new Set<string>(),
    failures: new Array<unknown>(),
  }));
  const end = performance.now() + COMPRESSED.tenMinutesMs;
  while (performance.now() < end) {
    await Promise.all(
      runs.map(async ({ recipe, run, sessions, failures }) => {
        if (failures.length > 0) return;
        await run.ask(STATEMENT[recipe.database]).then(
          (line) => sessions.add(line),
          (error: unknown) => failures.push(error),
        );
      }),
    );
    await Promise.all(Object.values(stage.servers).map((server) => server.endSessions()));
    // Pools try a connection that was idle for a second before they lend it.
    await pause(1300);
  }
  for (const { recipe, run, sessions, failures } of runs) {
    await t.test(recipe.file, async () => {
      const { status, stderr } = await run.end();
      assert.deepEqual(failures, []);
      assert.equal(status, 0, stderr);
      for (const session of sessions) assert.match(session, SESSION);
      // Each connection has its own audit id, but where the driver asks for a password and nothing else.
      const least = recipe.file === 'javascript/pg-postgres.mjs' ? 1 : 3;
      assert.ok(sessions.size >= least, `${sessions.size} sessions`);
      passed.get(recipe.file)?.add('pool, ten minutes');
    });
  }
  const refusals = stage.check.attempts().filter(({ refused }) => refused !== undefined);
  assert.deepEqual(refusals, []);
}

function refused({ status, stdout, stderr }: RecipeEnd): void {
  assert.notEqual(status, 0, stdout);
  assert.match(stderr + stdout, REFUSED);
  assert.ok(!stderr.includes('X-Amz-Signature='), 'the error shows the token');
}

function notConnected({ status, stdout, stderr }: RecipeEnd): void {
  assert.notEqual(status, 0, stdout);
  assert.doesNotMatch(stdout, SESSION);
  assert.match(stderr + stdout, /ssl|tls|certificate/i);
}

/** The server saw attempts, and refused each of them for this reason. */
function onlyRefusedFor(stage: Stage, why: string): void {
  assert.deepEqual(new Set(stage.check.attempts().map(({ refused }) => refused)), new Set([why]));
  stage.check.forget();
}

function nobodyAsked(stage: Stage): void {
  assert.deepEqual(stage.check.attempts(), []);
}

async function present(stage: Stage, certificate: Stage['certificate']): Promise<void> {
  await Promise.all(Object.values(stage.servers).map((server) => server.present(certificate)));
}

function printTable(servers: Readonly<Record<Database, string>>): void {
  console.log('\nrecipe × database × case');
  for (const recipe of all) {
    const why = whyNot(recipe);
    const ran = passed.get(recipe.file) ?? new Set();
    console.log(`${recipe.file} × ${recipe.database} ${servers[recipe.database]}`);
    if (why !== undefined) console.log(`    did not run: ${why}`);
    else {
      console.log(`    with ${versionOf(recipe)}`);
      for (const name of CASES) console.log(`    ${ran.has(name) ? 'ok    ' : 'FAILED'} ${name}`);
    }
  }
}
