import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createConditionCompiler } from '../../src/config/cel-condition.ts';
import type { Claims } from '../../src/issuance/caller.ts';
import { caller } from '../support/catalog.ts';
import { GRANTS, loadText, VALID } from '../support/config-file.ts';

const PAGE = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');

const grants = [...PAGE.matchAll(/^```yaml\n(grants:[^]*?\n)```$/gm)].map(([, text = '']) => text);

test('the page has an example of each kind of grant', () => {
  for (const key of ['allow:', 'deny:', '{claims.', 'when:', 'notAfter:']) {
    assert.ok(
      grants.some((text) => text.includes(key)),
      key,
    );
  }
});

for (const text of grants) {
  const [, name] = /name: (\S+)/.exec(text) ?? [];
  test(`the example ${name} of the page loads without a warning`, () => {
    assert.deepEqual(loadText(VALID.replace(GRANTS, text)).warnings, []);
  });
}

/** Of each expression in the page's table, claims of which it is true, and claims of which it is not. */
const MEANT: Readonly<Record<string, readonly [holds: Claims, fails: Claims]>> = {
  "'dba' in claims.groups": [{ groups: ['dba'] }, { groups: [] }],
  "claims.team in ['payments', 'orders']": [{ team: 'orders' }, { team: 'web' }],
  'claims.level >= 3': [{ level: 3 }, { level: 2 }],
  "claims.email.endsWith('@corp.example') && claims.email_verified == true": [
    { email: 'a@corp.example', email_verified: true },
    { email: 'a@corp.example', email_verified: false },
  ],
  "subject.startsWith('repo:octo-org/') && claims.ref == 'refs/heads/main'": [
    { ref: 'refs/heads/main' },
    { ref: 'refs/heads/dev' },
  ],
  "claims['kubernetes.io'].namespace == 'payments'": [
    { 'kubernetes.io': { namespace: 'payments' } },
    { 'kubernetes.io': { namespace: 'web' } },
  ],
  '!has(claims.act)': [{}, { act: {} }],
  "'kubernetes.io' in claims": [{ 'kubernetes.io': {} }, {}],
  "claims.groups.exists(g, g.startsWith('db-'))": [{ groups: ['db-a'] }, { groups: ['a'] }],
  "claims.groups.all(g, g != 'guests')": [{ groups: [] }, { groups: ['guests'] }],
  "claims.roles.exists(r, r.name == 'dba' && r.region == claims.region)": [
    { region: 'eu', roles: [{ name: 'dba', region: 'eu' }] },
    { region: 'eu', roles: [{ name: 'dba', region: 'us' }] },
  ],
  "['a', 'b'].exists(g, g in claims.groups)": [{ groups: ['b'] }, { groups: ['c'] }],
  'size(claims.groups) < 100': [{ groups: [] }, { groups: Array.from({ length: 100 }, () => '') }],
  'has(claims.contractor) && claims.contractor == true': [{ contractor: true }, {}],
};

test('each expression of the page means what the page says', () => {
  const compile = createConditionCompiler();
  const rows = PAGE.slice(PAGE.indexOf('| expression |')).split('\n\n')[0]?.split('\n').slice(2) ?? [];
  const shown = rows.map((row) => /^\| `(.*?)` \|/.exec(row)?.[1] ?? row);
  assert.deepEqual([...shown, 'has(claims.contractor) && claims.contractor == true'], Object.keys(MEANT));
  for (const [expression, [holds, fails]] of Object.entries(MEANT)) {
    const condition = compile(expression);
    const of = (claims: Claims) => condition.holds(caller({ subject: 'repo:octo-org/orders', claims }));
    assert.deepEqual([of(holds), of(fails)], [true, false], expression);
  }
});
