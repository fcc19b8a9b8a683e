import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { type CommandContext, UsageError } from '../../src/commands/command.ts';
import { explain } from '../../src/commands/explain.ts';
import { API, ISSUER, mintJwt, writeServiceFiles } from '../support/running-service.ts';

const MORE_GRANTS = `  - name: night-shift
    issuer: cluster
    subject: ${API}
    notBefore: "2030-01-01T00:00:00Z"
    sourceCidrs: [10.0.0.0/8]
    when: "claims.level > 3"
    allow: [{ database: billing, users: [admin] }]
  - name: freeze
    issuer: cluster
    subject: ${API}
    mode: observe
    deny: [{ database: billing }]
  - name: own-user
    issuer: cluster
    subject: ${API}
    allow: [{ database: orders, users: ["{claims.preferred_username}"], userPrefixes: [dev_] }]
`;

type Explained = { readonly status: number; readonly out: string; readonly errors: string };

/** Runs `explain` with a configuration of some grants. `stdin` is a JWT, or claims. */
async function run(
  t: TestContext,
  args: readonly string[],
  stdin: (key: KeyObject) => Promise<string> | string,
): Promise<Explained> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-explain-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const key = writeServiceFiles(folder, (text) => text.replace('limits:', `${MORE_GRANTS}limits:`));
  const input = await stdin(key);
  const [out, errors]: string[][] = [[], []];
  const context: CommandContext = {
    args: ['--config', join(folder, 'config.yaml'), ...args],
    env: {},
    version: '0',
    input: () => Readable.from([input]),
    print: (line) => void out?.push(line),
    write: () => assert.fail(),
    printError: (line) => void errors?.push(line),
  };
  const status = await explain(context);
  return { status, out: (out ?? []).join('\n'), errors: (errors ?? []).join('\n') };
}

const CLAIMS = JSON.stringify({ iss: ISSUER, sub: API, level: 2 });

test('a JWT that gets the user is explained with the grants that apply first', async (t) => {
  const args = ['--jwt-file', '-', '--database', 'billing', '--user', 'app_ro'];
  const { status, out, errors } = await run(t, args, (key) => mintJwt(key, {}));
  assert.deepEqual([status, errors], [0, '']);
  assert.equal(
    out,
    `Caller: ${API} of issuer cluster
JWT: accepted
Decision: issued, app_ro on billing at writer by grant api
Observing only: freeze

grant api: applies, and allows this
  holds       issuer: cluster
  holds       subject: ${API}

grant freeze (observes only): applies, and denies this
  holds       issuer: cluster
  holds       subject: ${API}

grant own-user: applies, and allows something else
  holds       issuer: cluster
  holds       subject: ${API}

grant night-shift: does not apply; it allows something else
  holds       issuer: cluster
  holds       subject: ${API}
  undecidable sourceCidrs: 10.0.0.0/8
  undecidable when: claims.level > 3
  fails       notBefore: 2030-01-01T00:00:00.000Z (it is "${/notBefore.*it is "(.*)"/.exec(out)?.[1] ?? ''}")

1 more grant is for other callers; --all shows them.`,
  );
});

test('claims that do not get the user are told by which condition', async (t) => {
  const args = ['--claims-file', '-', '--database', 'billing', '--user', 'admin', '--source-address', '10.1.1.1'];
  const { status, out } = await run(t, [...args, '--at', '2030-06-01', '--all'], () => CLAIMS);
  assert.equal(status, 1);
  assert.match(out, /^Decision: refused, no grant allows \{"database":"billing","user":"admin"\}$/m);
  assert.match(
    out,
    /^grant night-shift: does not apply; it allows this\n(?: {2}holds .*\n){3} {2}fails {7}when: claims\.level > 3\n {2}holds {7}notBefore/m,
  );
  assert.match(
    out,
    /^grant jobs: does not apply; it allows something else\n {2}holds {7}issuer: cluster\n {2}fails {7}subjectGlob: .* \(it is "system:serviceaccount:payments:api"\)$/m,
  );
  const better = JSON.stringify({ iss: ISSUER, sub: API, level: 4 });
  const granted = await run(t, [...args, '--at', '2030-06-01'], () => better);
  assert.equal(granted.status, 0);
  assert.match(granted.out, /by grant night-shift$/m);
});

test('a claim that names no user says why', async (t) => {
  const claims = JSON.stringify({ sub: API, preferred_username: 'Dana' });
  const args = ['--claims-file', '-', '--issuer', 'cluster', '--database', 'orders', '--user', 'dev_dana'];
  const { out } = await run(t, args, () => claims);
  assert.match(out, /^ {2}no user {5}the claim preferred_username has other characters/m);
});

test('a JWT that is refused is explained as if it were good, with status 1', async (t) => {
  const args = ['--jwt-file', '-', '--database', 'billing'];
  const { status, out } = await run(t, args, (key) => mintJwt(key, { exp: 1_000_000_000 }));
  assert.equal(status, 1);
  assert.match(
    out,
    /^JWT: refused, token of issuer cluster: it has expired\. What follows is as if it were accepted\.$/m,
  );
  assert.match(out, /^Decision: issued, app_ro on billing/m);
});

test('the same for programs', async (t) => {
  const args = ['--claims-file', '-', '--database', 'billing', '--json'];
  const { status, out } = await run(t, args, () => CLAIMS);
  const document: {
    outcome: string;
    grant: string;
    observed: string[];
    grants: { name: string; conditions: object[] }[];
  } = JSON.parse(out);
  assert.equal(status, 0);
  assert.deepEqual([document.outcome, document.grant, document.observed], ['issued', 'api', ['freeze']]);
  assert.deepEqual(
    document.grants.map(({ name }) => name),
    ['api', 'jobs', 'night-shift', 'freeze', 'own-user'],
  );
  assert.deepEqual(document.grants[0]?.conditions[0], { text: 'issuer: cluster', verdict: 'holds', given: 'cluster' });
});

const UNREADABLE: readonly [what: string, args: readonly string[], stdin: string, error: RegExp][] = [
  ['no JWT', ['--jwt-file', '-'], 'abc', /^The JWT is refused: not three non-empty parts/],
  ['no JSON', ['--claims-file', '-'], '{', /^The claims are not valid JSON\.$/],
  ['a list', ['--claims-file', '-'], '[]', /^The claims are not a JSON object\.$/],
  ['two subs', ['--claims-file', '-'], '{"sub":"a","sub":"b"}', /the same key twice/],
  [
    'no sub',
    ['--claims-file', '-'],
    JSON.stringify({ iss: ISSUER }),
    /^No token of issuer cluster is accepted with these claims: the sub/,
  ],
  [
    'an unknown iss',
    ['--claims-file', '-'],
    '{"iss":"https://x\\u001b[2J","sub":"a"}',
    /^The configuration has no issuer with the iss "https:\/\/x\\u001b\[2J"/,
  ],
  ['an unknown issuer', ['--claims-file', '-', '--issuer', 'x'], CLAIMS, /^The configuration has no issuer x\./],
];
for (const [what, args, stdin, error] of UNREADABLE) {
  test(`${what} cannot be explained`, async (t) => {
    const { status, out, errors } = await run(t, args, () => stdin);
    assert.deepEqual([status, out], [1, '']);
    assert.match(errors, error);
  });
}

const CALLS: readonly (readonly string[])[] = [
  [],
  ['--jwt-file', 'a', '--claims-file', 'b'],
  ['--claims-file', '-', '--source-address', '10.0.0.0/8'],
  ['--claims-file', '-', '--at', 'noon'],
  ['--claims-file', '-', '--odd'],
  ['--claims-file', '-', 'odd'],
];
for (const args of CALLS) {
  test(`explain ${args.join(' ')} is a wrong call`, async (t) => {
    await assert.rejects(
      run(t, args, () => CLAIMS),
      UsageError,
    );
  });
}

test('what strangers wrote into a JWT does not reach the terminal as it is', async (t) => {
  const claims = JSON.stringify({ iss: ISSUER, sub: 'a\u202eb\u001b[31m', email: 'x' });
  const { out } = await run(t, ['--claims-file', '-', '--all'], () => claims);
  assert.match(out, /^Caller: a\\u\{202e\}b\\u\{1b\}\[31m of issuer cluster$/m);
});
