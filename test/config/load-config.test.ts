import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../src/config/config-problem.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { compileGrants } from '../../src/issuance/grants.ts';
import { caller, CIRCUMSTANCES } from '../support/catalog.ts';
import { loadText, problemsOf, VALID, withChange } from '../support/config-file.ts';

const EXAMPLE = fileURLToPath(new URL('../../openapi/examples/config.yaml', import.meta.url));

test('the example is valid, without warnings, and its grants compile', () => {
  const { config, catalog, grants, warnings } = loadConfig(EXAMPLE, { knownBundleIds: new Set(['amazon-roots']) });
  assert.deepEqual(warnings, []);
  assert.deepEqual([...catalog.keys()], ['orders', 'billing']);
  assert.deepEqual([config.limits.perCaller, config.caBundles.refresh], [{ max: 20, windowMs: 1000 }, 86_400_000]);
  const dana = caller({ issuer: 'corp', subject: 'dana', claims: { groups: ['dba'], email_verified: true } });
  assert.deepEqual(
    compileGrants(grants, catalog)
      .matching(dana, CIRCUMSTANCES)
      .map(({ name }) => name),
    ['dba'],
  );
});

test('what is left out gets its default', () => {
  const { config } = loadText(VALID);
  assert.deepEqual(config.server, {
    host: '127.0.0.1',
    port: 8080,
    adminPort: 9090,
    trustedProxies: [],
    drainDelay: 0,
  });
  assert.deepEqual(config.issuers[0], {
    name: 'cluster',
    issuer: 'https://idp.example',
    audiences: ['vendor'],
    algorithms: ['RS256', 'ES256'],
    clockTolerance: 30_000,
    keepKeysFor: 86_400_000,
  });
  assert.deepEqual(config.limits, {
    perCaller: { max: 20, windowMs: 1000 },
    perDatabase: { max: 200, windowMs: 1000 },
    perAddress: { max: 50, windowMs: 1000 },
    maxEventLoopDelay: 1000,
    store: { type: 'memory' },
  });
  assert.deepEqual([config.grants[0]?.mode, config.policyTests, config.include], ['enforce', [], undefined]);
  assert.equal(config.caBundles.refresh, undefined);
});

test('mistakes of the schema, of references and of files are reported together, in the order of the file', () => {
  const text = VALID.replace('port: 8080', 'prot: 8080')
    .replace('name: corp', 'name: corp\n    jwks: { file: /no/such.json }')
    .replace('accountId: "123456789012"', 'accountId: 1')
    .replace('issuer: cluster', 'issuer: clutser')
    .replace('perCaller: 20/s', 'perCaller: fast');
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(' ').slice(0, 2).join(' ')),
    [
      '2:3: server.prot',
      '8:19: issuers[1].jwks.file:',
      '15:16: databases.orders.accountId',
      '23:13: grants[0].issuer',
      '29:14: limits.perCaller',
    ],
  );
});

test('the error lists file, line and column of each problem, and holds them as data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-config-'));
  const file = join(folder, 'missing.yaml');
  const mend = 'Give the path of a readable YAML file with --config or RTV_CONFIG.';
  const problem = { file, line: 1, column: 1, path: '', message: 'The file does not exist.', mend };
  const message = `${file}:1:1: The file does not exist. ${mend}`;
  assert.throws(() => loadConfig(file), { name: 'ConfigError', message, problems: [problem] });
  assert.throws(() => loadConfig(folder), /The file is not a regular file\./);
  rmSync(folder, { recursive: true });
});

test('a problem names its path in the configuration', () => {
  assert.throws(
    () => loadText(withChange('    allow:', '    claims: { "kubernetes.io/x": [] }\n    allow:')),
    (error) => error instanceof ConfigError && error.problems[0]?.path === 'grants[0].claims["kubernetes.io/x"]',
  );
});

test('relative paths start at the folder of the configuration, absolute ones stay', () => {
  const more =
    'caFile: ca.pem\n    jwks: { file: ./keys.json }\n    bearerTokenFile: jwt\n    kubernetes: { tokenFile: sa/token, caFile: /ca.crt }';
  const store = '{ type: redis, host: valkey, passwordFile: password, caFile: ca.pem }';
  const text = VALID.replace('name: corp', `name: corp\n    ${more}`)
    .replace('  perCaller: 20/s', `  store: ${store}`)
    .replace('    engine:', `    caBundle: { file: b.pem, sha256: ${'AB'.repeat(32)} }\n    engine:`)
    .replace('limits:', 'audit: { store: { type: sqlite, path: /var/lib/rtv/audit.db } }\nlimits:');
  const { config } = loadText(text, {}, ['ca.pem', 'keys.json', 'jwt', 'password']);
  const folder = dirname(config.issuers[1]?.caFile ?? '');
  assert.ok(isAbsolute(folder));
  assert.deepEqual(config.issuers[1]?.jwks, { file: join(folder, 'keys.json') });
  assert.equal(config.issuers[1]?.bearerTokenFile, join(folder, 'jwt'));
  assert.deepEqual(config.issuers[1]?.kubernetes, {
    tokenReview: false,
    tokenFile: join(folder, 'sa/token'),
    caFile: '/ca.crt',
  });
  const counts = config.limits.store.type === 'redis' ? config.limits.store : undefined;
  assert.deepEqual([counts?.passwordFile, counts?.caFile], [join(folder, 'password'), join(folder, 'ca.pem')]);
  assert.deepEqual(config.databases['orders']?.caBundle, { file: join(folder, 'b.pem'), sha256: 'ab'.repeat(32) });
  assert.equal(config.caBundles.directory, join(folder, 'data/ca-bundles'));
  assert.deepEqual(config.audit.store, { type: 'sqlite', path: '/var/lib/rtv/audit.db' });
  assert.equal(config.audit.checkpointKeyFile, join(folder, 'data/checkpoint-key.pem'));
});

test('the hash is the SHA-256 of the bytes of the file', () => {
  assert.equal(loadText(VALID).hash, createHash('sha256').update(VALID).digest('hex'));
  assert.notEqual(loadText(`${VALID}# a comment\n`).hash, loadText(VALID).hash);
});

function written(bundle: string): string {
  return withChange('    engine:', `    caBundle: ${bundle}\n    engine:`);
}

test('a CA bundle that is neither built in nor fetched nor given is refused', () => {
  const options = { knownBundleIds: new Set(['global', 'amazon-roots', 'us-east-1']) };
  const mend =
    'Set its caBundle to {file, sha256} with the bundle AWS publishes, or set caBundles.refresh to fetch it.';
  const what = 'databases.orders needs the CA bundle us-west-2, which is not built in.';
  assert.deepEqual(problemsOf(VALID, options), [`13:13: ${what} ${mend}`]);
  assert.deepEqual(problemsOf(written('us-west-2'), options), [`12:15: ${what} ${mend}`]);
  assert.deepEqual(problemsOf(written('global'), options), []);
  assert.deepEqual(problemsOf(written(`{ file: a.pem, sha256: ${'ab'.repeat(32)} }`), options), []);
  assert.deepEqual(problemsOf(withChange('limits:', 'caBundles: { refresh: 24h }\nlimits:'), options), []);
  assert.deepEqual(problemsOf(withChange('cluster-ABCDEFGH', 'prx-ABCDEFGH'), options), []);
});

for (const [engine, most, unit] of [
  ['postgres', 63, 'bytes'],
  ['mysql', 32, 'characters'],
  ['mariadb', 80, 'characters'],
] as const) {
  test(`a user of ${engine} may have ${most} ${unit} and no more`, () => {
    const text = (length: number) =>
      withChange('engine: postgres', `engine: ${engine}`).replace('app_rw', 'u'.repeat(length));
    assert.deepEqual(problemsOf(text(most)), []);
    assert.match(problemsOf(text(most + 1))[0] ?? '', new RegExp(`has ${most + 1} ${unit}; a user of ${engine}`));
  });
}

const accepted: readonly [what: string, from: string, to: string][] = [
  ['any free port', 'port: 8080', 'port: 0'],
  ['an IPv6 address to listen on', 'port: 8080', 'host: "::"'],
  ['an IPv6 range of proxies', 'port: 8080', 'trustedProxies: ["fd00::/8", 10.1.2.3]'],
  ['http to localhost', 'https://idp.example', 'http://localhost:9000'],
  ['http to a loopback address', 'https://idp.example', 'http://127.0.0.9:9000/x'],
  ['http to the loopback address of IPv6', 'https://idp.example', '"http://[::1]:9000"'],
  ['a key set URL with a query', 'name: corp', 'name: corp\n    jwks: { url: "https://a.example/keys?p=b2c" }'],
  ['an address to connect to', '        host: orders', '        connectHost: "::1"\n        host: orders'],
  ['a claim that is a number, false or a text', '    allow:', '    claims: { a: 1, b: false, c.d: x }\n    allow:'],
  ['a user with a quote, a space and an umlaut', '[app_rw]', `['o''brien ü "x" %?#@']`],
  ['an alias', '[app_rw]', '&users [app_rw]'],
  ['a rate for each minute', 'perCaller: 20/s', 'perDatabase: 600/m'],
];
for (const [what, from, to] of accepted) {
  test(`${what} is accepted`, () => assert.deepEqual(problemsOf(withChange(from, to)), []));
}
