import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '../../src/config/config-problem.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { CONFIG, post, startService } from '../support/running-service.ts';
import { configOf, type Kind, kindOfAnswer } from '../support/two-configs.ts';

const RELOADS = 1000;
const IN_FLIGHT = 8;

/** What a slip makes of a configuration. Each is refused: some by the loader, some only when it would be put in force. */
const CORRUPT: readonly ((text: string) => string)[] = [
  (text) => text.slice(0, text.length / 2),
  () => '',
  (text) => text.replace('issuer: cluster', 'issuer: nobody'),
  (text) => text.replace('engine: postgres', 'engine: oracle'),
  (text) => text.replace('port: 0', 'port: 1'),
  (text) => `${text}caBundles: { caFile: gone.pem }\n`,
  (text) => text.replace('{ file: jwks.json }', '{ file: gone.json }'),
];

test('1,000 reloads under load, of which half are corrupt: no request fails, and none is decided by two configurations', async (t) => {
  const service = await startService(t, { config: (text) => configOf('a', text) });
  const { app, folder } = service;
  const file = join(folder, 'config.yaml');
  const hashes: Record<string, Kind> = {};

  const load = { isOn: true };
  const answers = { a: 0, b: 0 };
  const askers = Array.from({ length: IN_FLIGHT }, async () => {
    while (load.isOn) {
      const response = await service.ask('/v1/tokens', post({ database: 'orders' }));
      const body = await response.text();
      assert.equal(response.status, 201, body);
      answers[kindOfAnswer(body)]++;
    }
  });

  let refused = 0;
  for (let number = 0; number < RELOADS; number++) {
    const kind = number % 4 === 1 ? 'b' : 'a';
    const good = configOf(kind, CONFIG);
    const isCorrupt = number % 2 === 0;
    const corrupt = CORRUPT[Math.floor(number / 2) % CORRUPT.length] ?? assert.fail();
    writeFileSync(file, isCorrupt ? corrupt(good) : good);
    try {
      const loaded = loadConfig(file);
      if (await app.reload(loaded)) hashes[loaded.hash] = kind;
      else refused++;
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      app.keepConfig(error.problems.map(({ message }) => message));
      refused++;
    }
    // Requests get their turn.
    await pause(5);
  }
  load.isOn = false;
  await Promise.all(askers);

  assert.equal(refused, RELOADS / 2);
  assert.ok(answers.a > 50 && answers.b > 50, JSON.stringify(answers));
  const issued = service.records().filter(({ outcome }) => outcome === 'issued');
  assert.equal(issued.length, answers.a + answers.b);
  hashes[loadConfig(file).hash] ??= 'a';
  for (const { config_hash: hash, grant, user } of issued) {
    const kind = hashes[hash];
    assert.deepEqual([grant, user], [`api-${kind}`, `app_${kind}`]);
  }
  const failed = service.records().filter(({ outcome }) => outcome === 'failed');
  assert.deepEqual(failed, []);
  t.diagnostic(JSON.stringify(answers));
});
