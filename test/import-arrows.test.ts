import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const files = globSync('**/*.ts', { cwd: root });

/** What each folder may import from, besides itself and packages. `config` is src/config.ts and src/config/. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  issuance: [],
  config: ['issuance'],
  jwt: ['issuance', 'config'],
  aws: ['issuance', 'config'],
  rds: ['issuance', 'config'],
  audit: ['issuance', 'config'],
  http: ['issuance', 'rds'],
  agent: ['issuance', 'rds'],
  'logger.ts': [],
  reload: ['config'],
  app: ['issuance', 'config', 'jwt', 'aws', 'rds', 'audit', 'http'],
  'app.ts': ['app', 'issuance', 'config', 'jwt', 'aws', 'rds', 'audit', 'http'],
  commands: ['agent', 'issuance', 'config', 'jwt', 'rds', 'audit', 'app.ts', 'reload'],
  'main.ts': ['commands', 'logger.ts'],
};

function partOf(file: string): string {
  const [first = ''] = file.split('/');
  return first === 'config.ts' ? 'config' : first;
}

function importsOf(file: string): { readonly path: string; readonly types: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = [...text.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)'/gm)];
  return found.map(([, type, path = '']) => ({ path, types: type !== undefined }));
}

test('imports point one way: edges to issuance', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ path }) => path.startsWith('.') && path.endsWith('.ts'))
      .map(({ path }) => partOf(normalize(join(dirname(file), path))))
      .filter((part) => part !== partOf(file) && !(MAY[partOf(file)] ?? assert.fail(file)).includes(part))
      .map((part) => `${file} imports ${part}`),
  );
  assert.deepEqual(wrong, []);
});

test('the issuance core has no I/O: of packages it knows node:crypto alone, for hashes', () => {
  const packages = files
    .filter((file) => partOf(file) === 'issuance')
    .flatMap((file) => importsOf(file).filter(({ path }) => !path.startsWith('.')));
  assert.deepEqual(new Set(packages.map(({ path }) => path)), new Set(['node:crypto']));
});

test('only main.ts touches the process, and no file is longer than 250 lines', () => {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    if (file !== 'main.ts') assert.ok(!/\bprocess\./.test(text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')), file);
    assert.ok(text.split('\n').length <= 250, file);
  }
});

test('of the adapters only the route of the SDKs knows them', () => {
  const users = (name: string) =>
    new Set(files.filter((file) => readFileSync(join(root, file), 'utf8').includes(`'${name}'`)).map(partOf));
  assert.deepEqual(users('jose'), new Set(['jwt']));
  assert.deepEqual(users('@aws-sdk/rds-signer'), new Set(['rds']));
  assert.deepEqual(users('@aws-sdk/credential-providers'), new Set(['aws']));
  assert.deepEqual(users('node:sqlite'), new Set(['audit']));
});

test('the service needs no package but its dependencies: what is for development is not there in production', () => {
  const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const packages = files.flatMap((file) => importsOf(file).map(({ path }) => path));
  const foreign = packages.filter((path) => !path.startsWith('.') && !path.startsWith('node:'));
  const names = new Set(foreign.map((path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/')));
  assert.deepEqual(
    [...names].filter((name) => !Object.hasOwn(manifest.dependencies, name)),
    [],
  );
});
