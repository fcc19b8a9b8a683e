import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/issuance.md', 'test/README.md'];

test('the quick start is two commands, and CI runs the second as written', () => {
  const blocks = [...read('README.md').matchAll(/```sh\n([^`]*)```/g)].map(([, text = '']) => text.trim());
  assert.equal(blocks[0], 'npm ci && npm run demo');
  assert.equal(blocks[2], 'npm ci && npm test');
  assert.ok(read('.ci/run').includes(`sh -c '${blocks[2]}'`));
});

test('every npm script that the documents name is there', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = documents.flatMap((file) => [
    ...read(file).matchAll(/npm (?:run )?(demo|start|test(?::\w+)?|generate|format|build)\b/g),
  ]);
  for (const [, script = ''] of named) assert.ok(scripts[script], script);
});

test('every file that the documents link to or name is there', () => {
  for (const file of documents) {
    const text = read(file);
    const base = new URL(file, root);
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert.ok(existsSync(new URL(target, base)), `${file}: ${target}`);
    }
    for (const [, target = ''] of text.matchAll(/`((?:src|test|openapi|docs)\/[\w./-]+\.\w+)`/g)) {
      assert.ok(existsSync(new URL(target, root)), `${file}: ${target}`);
    }
  }
});

test('every dependency has its reason in docs/decisions', () => {
  const reasons = read('docs/decisions/0001-dependencies.md');
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json'));
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies });
  const missing = names.filter((name) => !name.startsWith('@types/') && !reasons.includes(name));
  assert.deepEqual(missing, []);
});
