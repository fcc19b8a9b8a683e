import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, describeProblem } from '../../src/config/config-problem.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { GRANTS, VALID } from '../support/config-file.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const PATTERN = 'include: grants.d/*.yaml\n';

function grant(name: string): string {
  return `  - name: ${name}
    issuer: cluster
    subject: "system:serviceaccount:payments:${name}"
    allow: [{ database: orders, users: [app_rw] }]
`;
}

function grants(...names: string[]): string {
  return `grants:\n${names.map(grant).join('')}`;
}

/** A folder with these files. */
function lay(t: TestContext, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-include-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function load(t: TestContext, files: Files): LoadedConfig {
  return loadConfig(join(lay(t, files), 'config.yaml'));
}

/** Every problem of a folder, as the check prints it, with paths from the folder. */
function problems(folder: string): string[] {
  try {
    loadConfig(join(folder, 'config.yaml'));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => describeProblem(problem).replaceAll(`${folder}/`, ''));
  }
}

test('grants of included files follow those of the main file, in the order of the names', (t) => {
  const folder = lay(t, {
    'config.yaml': VALID + PATTERN,
    'grants.d/b.yaml': grants('b1', 'b2'),
    'grants.d/a.yaml': grants('a'),
    'grants.d/B.yaml': grants('B'),
    'grants.d/.hidden.yaml': 'not: read',
    'grants.d/other.yml': 'not: read',
    'grants.d/a.yaml.bak': 'not: read',
  });
  const loaded = loadConfig(join(folder, 'config.yaml'));
  assert.deepEqual(
    loaded.grants.map(({ name }) => name),
    ['api', 'B', 'a', 'b1', 'b2'],
  );
  assert.deepEqual(
    loaded.files.map(({ path }) => path),
    ['config.yaml', 'grants.d/B.yaml', 'grants.d/a.yaml', 'grants.d/b.yaml'].map((name) => join(folder, name)),
  );
  assert.deepEqual(loaded.patterns, [join(folder, 'grants.d/*.yaml')]);
  assert.deepEqual(loaded.warnings, []);
});

test('a list of files keeps its order, and the main file needs no grants of its own', (t) => {
  const policyTest = {
    name: 't',
    issuer: 'cluster',
    claims: { sub: 'x' },
    database: 'orders',
    user: 'u',
    expect: 'refused',
  };
  const { config } = load(t, {
    'config.yaml': `${VALID.replace(GRANTS, '')}include: [z.yaml, a.json]\n`,
    'z.yaml': grants('z'),
    'a.json': JSON.stringify({ policyTests: [policyTest] }),
  });
  assert.deepEqual(
    [config.grants, config.policyTests].map((list) => list.map(({ name }) => name)),
    [['z'], ['t']],
  );
});

test('stars match any part of a name, and no folder', (t) => {
  const { config } = load(t, {
    'config.yaml': `${VALID}include: "g/t*m-*-x.yaml"\n`,
    'g/team-a-x.yaml': grants('a'),
    'g/tm--x.yaml': grants('b'),
    'g/team-x.yaml': grants('no1'),
    'g/xteam-a-x.yaml': grants('no2'),
    'g/tm-/-x.yaml': grants('no3'),
  });
  assert.deepEqual(
    config.grants.map(({ name }) => name),
    ['api', 'a', 'b'],
  );
});

test('a pattern that matches nothing is a warning: its files may be to come', (t) => {
  const { warnings } = load(t, { 'config.yaml': VALID + PATTERN });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? '', /^include: no file matches .*grants\.d\/\*\.yaml\.$/);
});

const MISTAKES: readonly [what: string, files: Files, ...problems: string[]][] = [
  [
    'a file that is not there',
    { 'config.yaml': `${VALID}include: grants.yaml\n` },
    "config.yaml:29:10: include: the file grants.yaml does not exist. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ],
  [
    'a grant with the name of one in the main file, or of the same file',
    { 'config.yaml': VALID + PATTERN, 'grants.d/a.yaml': grants('api', 'x', 'x') },
    'grants.d/a.yaml:2:11: grants[0] has the name api, and so has grants[0] of config.yaml. Give each grant its own name: audit records hold it.',
    'grants.d/a.yaml:10:11: grants[2] has the name x, and so has grants[1]. Give each grant its own name: audit records hold it.',
  ],
  [
    'a grant with the name of one in another file',
    { 'config.yaml': VALID + PATTERN, 'grants.d/a.yaml': grants('a'), 'grants.d/b.yaml': grants('b', 'a') },
    'grants.d/b.yaml:6:11: grants[1] has the name a, and so has grants[0] of grants.d/a.yaml. Give each grant its own name: audit records hold it.',
  ],
  [
    'a reference that does not resolve',
    {
      'config.yaml': VALID + PATTERN,
      'grants.d/a.yaml': grants('a'),
      'grants.d/b.yaml': grants('b').replace('orders', 'nope'),
    },
    'grants.d/b.yaml:5:25: grants[0].allow[0].database names nope, which is no database. Write one of: orders.',
  ],
  [
    'a key that is not known',
    { 'config.yaml': VALID + PATTERN, 'grants.d/b.yaml': grants('b').replace('subject:', 'subjekt:') },
    'grants.d/b.yaml:2:5: grants[0] does not say which callers it is for. Write subject, subjectGlob, namespace or claims: a grant to every caller of an issuer is not accepted.',
    'grants.d/b.yaml:4:5: grants[0].subjekt is not a known key. Did you mean subject?',
  ],
  [
    'mistakes in several files',
    {
      'config.yaml': (VALID + PATTERN).replace('8080', 'x'),
      'grants.d/a.yaml': 'grants: [\n',
      'grants.d/b.yaml': 'grants: 1\n',
    },
    'config.yaml:2:9: server.port cannot be "x". Write a port, 1 to 65535, or 0 for any free one.',
    'grants.d/a.yaml:2:1: This is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Indent the lines of one level alike, and close every bracket.',
    'grants.d/b.yaml:1:9: grants cannot be 1. Write a list: [a, b], or one item a line, each behind a dash.',
  ],
  [
    'what only the main file may hold, includes too',
    { 'config.yaml': VALID + PATTERN, 'grants.d/b.yaml': 'include: x.yaml\nissuers: []\ngrants: []\n' },
    'grants.d/b.yaml:1:1: include cannot stand in an included file. Move it to the main file; this one holds grants and policyTests alone.',
    'grants.d/b.yaml:2:1: issuers cannot stand in an included file. Move it to the main file; this one holds grants and policyTests alone.',
  ],
  [
    'an empty file, which may be one that was cut',
    {
      'config.yaml': VALID + PATTERN,
      'grants.d/b.yaml': '',
      'grants.d/c.yaml': '# nothing\n',
      'grants.d/d.yaml': 'grants: []\n',
    },
    'grants.d/b.yaml:1:1: The file is empty. Write grants: [] in it if it is to hold none.',
    'grants.d/c.yaml:1:1: The file is empty. Write grants: [] in it if it is to hold none.',
  ],
  [
    'a list at the top',
    { 'config.yaml': VALID + PATTERN, 'grants.d/b.yaml': '- name: b\n' },
    'grants.d/b.yaml:1:1: An included file is a map. Write grants: or policyTests: above the list, and indent it.',
  ],
  [
    'text that is not UTF-8',
    { 'config.yaml': VALID + PATTERN, 'grants.d/b.yaml': Uint8Array.of(0x67, 0xe9) },
    'grants.d/b.yaml:1:1: The file is not UTF-8 text. Save it as UTF-8.',
  ],
  [
    'the main file itself',
    { 'config.yaml': `${VALID}include: "*.yaml"\n` },
    'config.yaml:29:10: include: the file config.yaml is read already. Include each file once.',
  ],
  [
    'a folder with a matching name',
    { 'config.yaml': VALID + PATTERN, 'grants.d/x.yaml/y': '' },
    'config.yaml:29:10: include: the file grants.d/x.yaml is not a regular file. Write the path of a file, or a pattern that matches files alone.',
  ],
  [
    'a star in a folder',
    { 'config.yaml': `${VALID}include: "*/a.yaml"\n` },
    'config.yaml:29:10: include cannot be "*/a.yaml". Write the path of a .yaml, .yml or .json file; a * may stand in its last part: grants.d/*.yaml.',
  ],
  [
    'an empty path',
    { 'config.yaml': `${VALID}include: ""\n` },
    'config.yaml:29:10: include is empty. Write the path of a .yaml, .yml or .json file; a * may stand in its last part: grants.d/*.yaml.',
  ],
];
for (const [what, files, ...expected] of MISTAKES) {
  test(`${what} is refused where it stands, with the mend`, (t) => {
    assert.deepEqual(problems(lay(t, files)), expected);
  });
}

test('one file with two names is included once', (t) => {
  const folder = lay(t, {
    'config.yaml': `${VALID}include: [grants.d/*.yaml, grants.d/a.yaml]\n`,
    'grants.d/a.yaml': grants('a'),
  });
  symlinkSync('a.yaml', join(folder, 'grants.d/b.yaml'));
  assert.deepEqual(problems(folder), [
    'config.yaml:29:11: include[0]: the file grants.d/b.yaml is the same as grants.d/a.yaml. Include each file once.',
    'config.yaml:29:28: include[1]: the file grants.d/a.yaml is read already. Include each file once.',
  ]);
});

test('a link that leads nowhere, and a pipe, are refused and not waited for', (t) => {
  const folder = lay(t, { 'config.yaml': VALID + PATTERN, 'grants.d/a.yaml': grants('a') });
  symlinkSync('gone', join(folder, 'grants.d/b.yaml'));
  execFileSync('mkfifo', [join(folder, 'grants.d/c.yaml')]);
  assert.deepEqual(
    problems(folder).map((text) => text.split('. ')[0]),
    [
      'config.yaml:29:10: include: the file grants.d/b.yaml does not exist',
      'config.yaml:29:10: include: the file grants.d/c.yaml is not a regular file',
    ],
  );
});

test('of very many problems the first 200 are told, and how many there are more', (t) => {
  const names = Array.from({ length: 300 }, (_, number) => `g${number}`);
  const folder = lay(t, {
    'config.yaml': VALID + PATTERN,
    'grants.d/a.yaml': grants(...names).replaceAll('users:', 'user:'),
  });
  assert.throws(
    () => loadConfig(join(folder, 'config.yaml')),
    (error) =>
      error instanceof ConfigError &&
      error.problems.length === 200 &&
      /\n\d+ more problems are not shown\.$/.test(error.message),
  );
});

const HASHED: Files = {
  'config.yaml': VALID + PATTERN,
  'grants.d/a.yaml': grants('a'),
  'grants.d/b.yaml': grants('b'),
};

test('the hash is what sha256sum prints of the files, hashed, and of one file its own', (t) => {
  const folder = lay(t, HASHED);
  const command = 'LC_ALL=C sha256sum config.yaml grants.d/*.yaml | sha256sum';
  const printed = execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
  assert.equal(loadConfig(join(folder, 'config.yaml')).hash, printed.split(' ')[0]);

  const alone = lay(t, { 'config.yaml': VALID });
  const sum = execFileSync('sha256sum', ['config.yaml'], { cwd: alone, encoding: 'utf8' });
  assert.equal(loadConfig(join(alone, 'config.yaml')).hash, sum.split(' ')[0]);
});

const OTHER_FILES: readonly [what: string, files: Files][] = [
  ['another byte in an included file', { ...HASHED, 'grants.d/b.yaml': `${grants('b')}\n` }],
  ['another byte in the main file', { ...HASHED, 'config.yaml': `${VALID}${PATTERN}\n` }],
  [
    'a file with another name',
    { 'config.yaml': VALID + PATTERN, 'grants.d/a.yaml': grants('a'), 'grants.d/c.yaml': grants('b') },
  ],
  ['contents exchanged', { ...HASHED, 'grants.d/a.yaml': grants('b'), 'grants.d/b.yaml': grants('a') }],
  ['one more file', { ...HASHED, 'grants.d/c.yaml': 'grants: []\n' }],
  ['one file less', { 'config.yaml': VALID + PATTERN, 'grants.d/a.yaml': grants('a') }],
];
test('the hash is the same wherever the folder is, and another for every difference', (t) => {
  const { hash } = load(t, HASHED);
  assert.equal(load(t, HASHED).hash, hash);
  const hashes = OTHER_FILES.map(([, files]) => load(t, files).hash);
  assert.equal(new Set([hash, ...hashes]).size, OTHER_FILES.length + 1);
});
