import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recipes, whyNot } from './recipes.ts';
import { runRecipe } from './run-recipe.ts';

const JWT = 'eyJhbGciOiJub25lIn0.e30.c2ln';

test('no recipe follows a redirect: the JWT is for the address that was given', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-redirects-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const jwtFile = join(folder, 'jwt');
  writeFileSync(jwtFile, JWT);
  const reached: string[] = [];
  const elsewhere = createServer((request, response) => {
    reached.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const address = elsewhere.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  let asked = 0;
  const service = createServer((request, response) => {
    if (request.headers.authorization === `Bearer ${JWT}`) asked += 1;
    response.writeHead(302, { location: `http://localhost:${address.port}/v1/tokens` }).end();
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const given = service.address();
  if (typeof given !== 'object' || !given) throw new Error('no address');
  t.after(() => [elsewhere, service].map((server) => server.closeAllConnections() ?? server.close()));
  for (const recipe of recipes().filter((one) => whyNot(one) === undefined)) {
    await t.test(recipe.file, async () => {
      const before = asked;
      const env = {
        RTV_URL: `http://127.0.0.1:${given.port}`,
        RTV_JWT_FILE: jwtFile,
        RTV_DATABASE: 'orders',
        RTV_USER: 'app_rw',
      };
      const { status, stdout } = await runRecipe(recipe, '/etc/hosts', env, 'select 1');
      assert.notEqual(status, 0, stdout);
      assert.ok(asked > before, 'it did not ask');
      assert.deepEqual(reached, []);
    });
  }
});
