import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../examples/clients/', import.meta.url));
const recipes = globSync('*/**/*.{sh,py,go,java,php,rb,rs,cs,pl,mjs}', { cwd: EXAMPLES }).sort();
const page = readFileSync(new URL('../docs/clients.md', import.meta.url), 'utf8');

test('there are recipes for ten languages', () => {
  assert.equal(new Set(recipes.map((file) => file.split('/')[0])).size, 10);
});

for (const file of recipes) {
  test(`${file} has less than 60 lines, needs nothing of AWS, verifies the server, and is on the page`, () => {
    const text = readFileSync(join(EXAMPLES, file), 'utf8');
    assert.ok(text.split('\n').length - 1 < 60);
    assert.doesNotMatch(text, /aws|boto/i);
    assert.ok(page.includes(`\`examples/clients/${file}\``) && page.includes(text.trimEnd()));
    assert.doesNotMatch(
      text,
      /InsecureSkipVerify|rejectUnauthorized: false|VERIFY_NONE|danger|trustServerCertificate/i,
    );
  });
}

test('rds-token is a POSIX shell script of its own: curl is all that it needs besides', () => {
  const text = readFileSync(join(EXAMPLES, 'sh/rds-token'), 'utf8');
  assert.match(text, /^#!\/bin\/sh\n/);
  assert.doesNotMatch(text, /\b(?:jq|python|perl|openssl|aws)\b|\[\[|\blocal\b|<<<|\bfunction\b/);
});
