import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { check } from '../../src/commands/check.ts';
import type { CommandContext } from '../../src/commands/command.ts';
import { API, writeServiceFiles } from '../support/running-service.ts';

const POLICY_TESTS = `policyTests:
  - name: api-may-write
    issuer: cluster
    claims: { sub: "${API}" }
    database: orders
    user: app_rw
    expect: issued
    grant: api
  - name: nobody-is-admin
    issuer: cluster
    claims: { sub: "${API}", groups: [dba], "kubernetes.io": { namespace: payments } }
    database: orders
    user: admin
    at: "2026-12-01T12:00:00Z"
    sourceAddress: 10.0.0.1
    expect: refused
`;

async function run(t: TestContext, change: (text: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-policy-tests-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeServiceFiles(folder, (text) => change(text + POLICY_TESTS));
  const out: string[] = [];
  const errors: string[] = [];
  const context: CommandContext = {
    args: ['--config', join(folder, 'config.yaml')],
    env: {},
    version: '0',
    input: () => assert.fail(),
    print: (line) => void out.push(line),
    write: () => assert.fail(),
    printError: (line) => void errors.push(line),
  };
  return { status: await check(context), out, errors };
}

test('check runs the policy tests and says that they passed', async (t) => {
  const { status, out, errors } = await run(t, (text) => text);
  assert.deepEqual([status, errors], [0, []]);
  assert.match(
    out.join('\n'),
    /^The configuration is good: 1 issuer, 2 databases, 2 grants, 2 policy tests passed\. SHA-256 [0-9a-f]{64}$/,
  );
});

test('check tells every difference, with status 1', async (t) => {
  const { status, out, errors } = await run(t, (text) =>
    text.replace('users: [app_rw, app_ro]', 'users: [app_ro, admin]'),
  );
  assert.deepEqual([status, out], [1, []]);
  assert.deepEqual(errors, [
    'policy test api-may-write: expected issued by grant api, but it is refused (no grant allows {"database":"orders","user":"app_rw"}).',
    'policy test nobody-is-admin: expected refused, but it is issued by grant api.',
    '2 of 2 policy tests failed.',
  ]);
});

const MISTAKES: readonly [what: string, from: string, to: string, error: RegExp][] = [
  [
    'an unknown issuer',
    'issuer: cluster\n    claims: { sub',
    'issuer: clusters\n    claims: { sub',
    /policyTests\[0\]\.issuer names clusters, which is no issuer\. Did you mean cluster\?$/,
  ],
  [
    'the name of another',
    'name: nobody-is-admin',
    'name: api-may-write',
    /policyTests\[1\] has the name api-may-write, and so has policyTests\[0\]\. Give each its own name\.$/,
  ],
  [
    'claims without sub',
    `claims: { sub: "${API}" }`,
    'claims: { groups: [a] }',
    /policyTests\[0\]\.claims cannot be a map like this\. Write the claims of a JWT, sub among them\.$/,
  ],
  [
    'an expectation that is none',
    'expect: issued',
    'expect: allowed',
    /policyTests\[0\]\.expect cannot be "allowed"\. Write one of: issued, refused\.$/,
  ],
  [
    'a time without a zone',
    '12:00:00Z',
    '12:00:00',
    /policyTests\[1\]\.at cannot be "2026-12-01T12:00:00"\. Write an instant as RFC 3339/,
  ],
  [
    'a range for an address',
    'sourceAddress: 10.0.0.1',
    'sourceAddress: 10.0.0.0/8',
    /policyTests\[1\]\.sourceAddress cannot be "10\.0\.0\.0\/8"\. Write an IP address\.$/,
  ],
];
for (const [what, from, to, error] of MISTAKES) {
  test(`a policy test with ${what} is a mistake of the configuration`, async (t) => {
    const { status, errors } = await run(t, (text) => text.replace(from, to));
    assert.equal(status, 1);
    assert.match(errors[0] ?? '', error);
  });
}
