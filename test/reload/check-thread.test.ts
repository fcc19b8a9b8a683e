import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../src/config/config-problem.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createConfigLoader } from '../../src/reload/check-thread.ts';
import { VALID } from '../support/config-file.ts';

function setup(t: TestContext, text: string, knownBundleIds?: ReadonlySet<string>) {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-thread-'));
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  const loader = createConfigLoader({ knownBundleIds });
  t.after(async () => {
    await loader.close();
    rmSync(folder, { recursive: true });
  });
  return { file, loader };
}

const EXPRESSION = VALID.replace('    allow:', '    when: "claims.team == \'payments\'"\n    allow:');

test('a configuration that is loaded in a thread is the one that is loaded here, expressions included', async (t) => {
  const { file, loader } = setup(t, EXPRESSION);
  const { grants, auditors, catalog, ...data } = await loader.load(file);
  const here = loadConfig(file);
  assert.deepStrictEqual(data, { config: here.config, hash: here.hash, files: here.files, patterns: [], warnings: [] });
  assert.deepStrictEqual([catalog, auditors], [here.catalog, here.auditors]);
  assert.deepEqual(JSON.stringify(grants), JSON.stringify(here.grants));
  assert.equal(typeof grants[0]?.when, typeof here.grants[0]?.when);
  assert.notEqual(grants[0]?.when, undefined);
});

test('its mistakes come with everything that those found here have', async (t) => {
  const { file, loader } = setup(t, VALID.replace('issuer: cluster', 'issuer: nobody'));
  const here = (() => {
    try {
      return loadConfig(file);
    } catch (error) {
      return error;
    }
  })();
  assert.ok(here instanceof ConfigError);
  await assert.rejects(loader.load(file), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(
      [error.message, error.problems, error.omitted, error.read],
      [here.message, here.problems, here.omitted, here.read],
    );
    return true;
  });
  // The next one finds a thread that works.
  writeFileSync(file, VALID);
  assert.equal((await loader.load(file)).grants.length, 1);
});

test('what it is told to check is checked in the thread', async (t) => {
  const { file, loader } = setup(t, VALID, new Set(['eu-central-1']));
  await assert.rejects(loader.load(file), /us-west-2/);
});

test('one that is closed while it loads says so, and does not wait', async (t) => {
  const { file, loader } = setup(t, VALID);
  const loading = loader.load(file);
  const refused = assert.rejects(loading, /the thread that reads the configuration ended/);
  await loader.close();
  await refused;
});
