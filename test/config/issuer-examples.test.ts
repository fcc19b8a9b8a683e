import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { policyDifferences } from '../../src/commands/run-policy-tests.ts';
import { loadConfig } from '../../src/config/load-config.ts';

const FOLDER = new URL('../../openapi/examples/issuers/', import.meta.url);
const PAGE = readFileSync(new URL('../../docs/issuers.md', import.meta.url), 'utf8');
const FILES = readdirSync(FOLDER);

const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');
const load = (file: string) => loadConfig(fileURLToPath(new URL(file, FOLDER)));

test('there is an example for each issuer that the documentation promises', () => {
  assert.deepEqual(FILES.sort(), [
    ...['aks.yaml', 'auth0.yaml', 'eks.yaml', 'entra-id.yaml', 'github-actions.yaml', 'gitlab.yaml', 'gke.yaml'],
    ...['google.yaml', 'keycloak.yaml', 'okta.yaml'],
  ]);
});

for (const file of FILES) {
  test(`${file} loads without a warning, and its grants decide what its policy tests say`, () => {
    const loaded = load(file);
    assert.deepEqual(loaded.warnings, []);
    assert.deepEqual(policyDifferences(loaded, Date.UTC(2026, 10, 26)), []);
    const expected = new Set(loaded.config.policyTests.map(({ expect }) => expect));
    assert.deepEqual(expected, new Set(['issued', 'refused']));
  });
}

test('the example of GitHub pins the repository and its owner by id, and where in it', () => {
  const claims = load('github-actions.yaml').config.grants[0]?.claims ?? {};
  assert.deepEqual(Object.keys(claims), ['repository_owner_id', 'repository_id', 'environment', 'ref']);
});

/** The part of an example that the page shows. */
function shown(file: string): string {
  const text = read(file);
  return text.slice(text.indexOf('issuers:'), text.indexOf('databases:')).trim();
}

test('the page shows each example as it is, in a section that names the page of its vendor', () => {
  const sections = PAGE.split(/^## /m).slice(2);
  const found = sections.map((section) => {
    const [snippet = ''] = [...section.matchAll(/^```yaml\n(issuers:[^]*?)\n```$/gm)].map(([, text = '']) => text);
    assert.match(section, /^Sources?: \[[^\]]+\]\(https:\/\//m, section.slice(0, 30));
    assert.match(section, /^Beware:$/m, section.slice(0, 30));
    return snippet;
  });
  assert.deepEqual(found.sort(), FILES.map(shown).sort());
});

test('the page links every example', () => {
  const linked = [...PAGE.matchAll(/\(\.\.\/openapi\/examples\/issuers\/([^)]+)\)/g)].map(([, file = '']) => file);
  assert.deepEqual(linked.sort(), FILES.sort());
});
