import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { configJsonSchema, type JsonSchema } from '../../scripts/config-schema.ts';
import { generatedFiles, staleFiles } from '../../scripts/generated-files.ts';
import { VALID } from '../support/config-file.ts';

const root = new URL('../../', import.meta.url);
const EXAMPLE = new URL('openapi/examples/config.yaml', root);

test('the generated files are what the sources make', async () => {
  assert.deepEqual(await staleFiles(generatedFiles, (path) => readFile(new URL(path, root), 'utf8')), []);
});

test('a generated file that was edited or is missing is named', async () => {
  const files = [
    { path: 'a', content: () => 'new' },
    { path: 'b', content: () => 'same' },
    { path: 'c', content: async () => 'new' },
  ];
  const found = await staleFiles(files, async (path) => ({ a: 'old', b: 'same' })[path]);
  assert.deepEqual(found, ['a', 'c']);
});

function validator() {
  return new Ajv2020({ strict: false }).compile(configJsonSchema());
}

test('the JSON schema accepts the example and the valid configuration', async () => {
  const validate = validator();
  assert.ok(validate(parse(await readFile(EXAMPLE, 'utf8'))), JSON.stringify(validate.errors));
  assert.ok(validate(parse(VALID)), JSON.stringify(validate.errors));
});

for (const [from, to] of [
  ['  port: 8080', '  prot: 8080'],
  ['limits:', 'limit:'],
  ['audiences: [vendor]', 'audience: [vendor]'],
  ['audiences: [vendor]', 'audiences: []'],
  ['engine: postgres', 'engine: oracle'],
  ['        host:', '        hots:'],
  ['20/s', '20'],
  ['users: [app_rw]', 'users: ["*"]'],
] as const) {
  test(`the JSON schema refuses ${to.trim()}`, () => {
    assert.equal(validator()(parse(VALID.replace(from, to))), false);
  });
}

/** Every schema below one, with the place it stands at. */
function walk(schema: JsonSchema, place: string): [string, JsonSchema][] {
  const inner: [string, unknown][] = [
    ...Object.entries(schema.properties ?? {}).map(([key, value]): [string, unknown] => [`${place}.${key}`, value]),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((value): [string, unknown] => [place, value]),
    [`${place}[]`, schema.items],
    [`${place}.NAME`, schema.additionalProperties],
  ];
  return [[place, schema], ...inner.flatMap(([at, value]) => (isSchema(value) ? walk(value, at) : []))];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test('no map of the schema takes unknown keys', () => {
  const open = walk(configJsonSchema(), '').filter(
    ([, schema]) => schema.properties !== undefined && schema.additionalProperties !== false,
  );
  assert.deepEqual(open, []);
});

test('every key has a description, and every key below a section an example', () => {
  const bare = walk(configJsonSchema(), '').flatMap(([place, schema]) =>
    Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
      if (!isSchema(member)) return [];
      const complete = member.description !== undefined && (place === '' || member.examples?.length === 1);
      return complete ? [] : [`${place}.${key}`];
    }),
  );
  assert.deepEqual(bare, []);
});

test('every example of the schema is valid where it stands', () => {
  const ajv = new Ajv2020({ strict: false });
  const whole = configJsonSchema();
  for (const [place, schema] of walk(whole, '')) {
    for (const example of schema.examples ?? []) {
      assert.ok(ajv.validate({ ...schema, $defs: whole.$defs ?? {} }, example), place);
    }
  }
});

test('the configuration page has a row for every key', async () => {
  const page = await readFile(new URL('docs/configuration.md', root), 'utf8');
  const keys = walk(configJsonSchema(), '').flatMap(([, schema]) => Object.keys(schema.properties ?? {}));
  const missing = keys.filter((key) => !new RegExp(`(?:^## |^\\| \`(?:[\\w.[\\]]+\\.)?)${key}\\b`, 'm').test(page));
  assert.deepEqual(missing, []);
});
