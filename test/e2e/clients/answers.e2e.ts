import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { recipes, whyNot } from './recipes.ts';
import { type RecipeEnv, runRecipe } from './run-recipe.ts';

const JWT = 'eyJhbGciOiJub25lIn0.e30.c2ln';

async function listening(t: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return `127.0.0.1:${address.port}`;
}

function environment(t: TestContext, address: string): RecipeEnv {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-answers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const jwtFile = join(folder, 'jwt');
  writeFileSync(jwtFile, JWT);
  return { RTV_URL: `http://${address}`, RTV_JWT_FILE: jwtFile, RTV_DATABASE: 'orders', RTV_USER: 'app_rw' };
}

const runnable = () => recipes().filter((one) => whyNot(one) === undefined);

test('no recipe follows a redirect: the JWT is for the address that was given', { timeout: 120_000 }, async (t) => {
  const reached: string[] = [];
  const elsewhere = await listening(t, (request, response) => {
    reached.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  let asked = 0;
  const service = await listening(t, (request, response) => {
    if (request.headers.authorization === `Bearer ${JWT}`) asked += 1;
    response.writeHead(302, { location: `http://${elsewhere.replace('127.0.0.1', 'localhost')}/v1/tokens` }).end();
  });
  const env = environment(t, service);
  for (const recipe of runnable()) {
    await t.test(recipe.file, async () => {
      const before = asked;
      const { status, stdout } = await runRecipe(recipe, '/etc/hosts', env, 'select 1');
      assert.notEqual(status, 0, stdout);
      assert.ok(asked > before, 'it did not ask');
      assert.deepEqual(reached, []);
    });
  }
});

test('each recipe shows the service’s refusal, whose audit id leads to the reason', { timeout: 280_000 }, async (t) => {
  const auditId = '01935d3c-7f00-7000-8000-0123456789ab';
  const problem = { type: 'urn:rds-token-vendor:problem:not-granted', status: 403, audit_id: auditId };
  const service = await listening(t, (_request, response) => {
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  for (const { file, status, output } of await runAll(environment(t, service))) {
    await t.test(file, () => {
      assert.notEqual(status, 0, output);
      assert.ok(output.includes(auditId), output);
    });
  }
});

test('no recipe shows a page that echoes the JWT', { timeout: 280_000 }, async (t) => {
  const proxy = await listening(t, ({ headers }, response) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end(`<p>${headers.authorization}</p>`);
  });
  for (const { file, status, output } of await runAll(environment(t, proxy))) {
    await t.test(file, () => {
      assert.notEqual(status, 0, output);
      assert.ok(!output.includes(JWT), output);
    });
  }
});

test('no recipe shows what came of an answer that was cut off, or the token of the one before', async (t) => {
  let asked = 0;
  const service = await listening(t, async (request, response) => {
    asked += 1;
    if (request.url !== '/v1/tokens') return void response.end('-----BEGIN CERTIFICATE-----');
    const form = new URLSearchParams(await text(request));
    const headers = { 'rtv-ca-bundle': '/v1/ca-bundles/x.pem', 'content-length': '10000' };
    const lines = "export PGPASSWORD='LIVE-TOKEN'\npassword=LIVE-TOKEN\n";
    response.writeHead(201, headers).write(form.has('format') ? lines : '{"token":"LIVE-TOKEN","issued_at":"20');
    setTimeout(() => request.socket.destroy(), 100);
  });
  for (const { file, status, output } of await runAll(environment(t, service))) {
    await t.test(file, () => {
      assert.notEqual(status, 0, output);
      assert.ok(!output.includes('LIVE-TOKEN'), output);
    });
  }
  assert.ok(asked >= runnable().length);
});

async function runAll(env: RecipeEnv) {
  return Promise.all(
    runnable().map(async (recipe) => {
      const { status, stdout, stderr } = await runRecipe(recipe, '/etc/hosts', env, 'select 1');
      return { file: recipe.file, status, output: stdout + stderr };
    }),
  );
}
