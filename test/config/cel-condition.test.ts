import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditionCompiler } from '../../src/config/cel-condition.ts';
import { ConditionMistake } from '../../src/config/cel/mistake.ts';
import type { Claims } from '../../src/issuance/caller.ts';
import { caller } from '../support/catalog.ts';
import { liveBytes } from '../support/heap.ts';

const compile = createConditionCompiler();

/** What an expression says of claims: true, false, or why it cannot be told. */
function told(expression: string, claims: Claims): boolean | string {
  try {
    return compile(expression).holds(caller({ subject: 'repo:octo/orders', claims }));
  } catch (error) {
    if (error instanceof ConditionMistake || !(error instanceof Error)) throw error;
    return error.message;
  }
}

const DECISIONS: readonly [expression: string, claims: Claims, told: boolean | string][] = [
  ["'dba' in claims.groups", { groups: ['web', 'dba'] }, true],
  ["'dba' in claims.groups", { groups: ['web'] }, false],
  ["'dba' in claims.groups", { groups: [1, null, 'dba'] }, true],
  ["'dba' in claims.groups", { groups: 'dba' }, 'claims.groups is neither a list nor a map'],
  ["'dba' in claims.groups", {}, 'claims.groups is not there'],
  ["'dba' in claims.roles", { roles: { dba: {} } }, true],
  ["claims.team in ['a', 'b']", { team: 'b' }, true],
  ["claims.team in ['a', 'b']", { team: 1 }, false],
  ['claims.level > 3', { level: 4 }, true],
  ['claims.level > 3', { level: 3.5 }, true],
  ['claims.level > 3', { level: 3 }, false],
  ['claims.level > 3', { level: '4' }, 'claims.level > 3 compares what has no order'],
  ['claims.level >= 2.5', { level: 2.5 }, true],
  ['claims.level <= -1', { level: -1 }, true],
  ['claims.level == 3', { level: 3 }, true],
  ['claims.level == 3.0', { level: 3 }, true],
  ['claims.level == 0x10', { level: 16 }, true],
  ['claims.level == 3', { level: '3' }, false],
  ["claims.level == '3'", { level: 3 }, false],
  ["claims.level != '3'", { level: 3 }, true],
  ['claims.level in [1, 2, 3]', { level: 2 }, true],
  ['2 in claims.levels', { levels: [1, 2] }, true],
  ['claims.levels == [1, 2]', { levels: [1, 2] }, true],
  ['claims.uid == 1', { uid: 2 ** 53 }, 'a number is too large to be exact'],
  ['claims.uid < 1', { uid: -1e300 }, 'a number is too large to be exact'],
  ['claims.email_verified == true', { email_verified: true }, true],
  ['claims.email_verified == true', { email_verified: 'true' }, false],
  ['claims.email_verified == true', {}, 'claims.email_verified is not there'],
  ['!claims.disabled', { disabled: false }, true],
  ['!claims.disabled', { disabled: 'false' }, 'claims.disabled is neither true nor false'],
  ['claims.a && claims.b', { a: true, b: true }, true],
  ['claims.a && claims.b', { a: true, b: 1 }, 'claims.b is neither true nor false'],
  ["claims.a == 'x' || subject.startsWith('repo:octo/')", {}, true],
  ["claims.a == 'x' && subject.startsWith('repo:evil/')", {}, false],
  ["claims.a == 'x' || subject.startsWith('repo:evil/')", {}, 'claims.a is not there'],
  ["issuer == 'cluster'", {}, true],
  ["claims.email.endsWith('@corp.example')", { email: 'jo@corp.example' }, true],
  ["claims.email.endsWith('@corp.example')", { email: 'jo@corp.example.evil' }, false],
  [
    "claims.email.endsWith('@corp.example')",
    { email: ['@corp.example'] },
    "claims.email or '@corp.example' is not a text",
  ],
  ["claims.ref.contains('/release-')", { ref: 'refs/heads/release-1' }, true],
  ["claims.x == 'a' ? claims.y == 1 : claims.z == 1", { x: 'b', z: 1 }, true],
  ["(claims.x == 'a' ? claims.y : claims.z) == 'q'", { x: 'a', y: 'q' }, true],
  ['claims.x == null', { x: null }, true],
  ['claims.x == null', { x: 0 }, false],
  ['has(claims.x)', { x: null }, true],
  ['has(claims.x)', {}, false],
  ['has(claims.x) && claims.x.y == 1', {}, false],
  ['has(claims.x.y)', { x: {} }, false],
  ['has(claims.x.y)', { x: 'text' }, 'claims.x is not a map'],
  [
    "'kubernetes.io' in claims && claims['kubernetes.io'].namespace == 'p'",
    { 'kubernetes.io': { namespace: 'p' } },
    true,
  ],
  ["claims.groups[0] == 'a'", { groups: ['a'] }, true],
  ["claims.groups[1] == 'a'", { groups: ['a'] }, 'claims.groups[1] is not there'],
  ["claims.groups[-1] == 'a'", { groups: ['a'] }, 'claims.groups[-1] is not there'],
  ["claims.groups.exists(g, g.startsWith('db-'))", { groups: ['web', 'db-a'] }, true],
  ["claims.groups.exists(g, g.startsWith('db-'))", { groups: [1, 'db-a'] }, true],
  ["claims.groups.exists(g, g.startsWith('db-'))", { groups: [1, 'a'] }, "g or 'db-' is not a text"],
  ["claims.groups.all(g, g.startsWith('db-'))", { groups: ['db-a', 'db-b'] }, true],
  ["claims.groups.all(g, g.startsWith('db-'))", { groups: [] }, true],
  ["claims.groups.exists_one(g, g.startsWith('db-'))", { groups: ['db-a', 'db-b'] }, false],
  ["claims.groups.exists_one(g, g.startsWith('db-'))", { groups: ['db-a', 1] }, "g or 'db-' is not a text"],
  ["claims.groups.filter(g, g.startsWith('db-')).size() == 2", { groups: ['db-a', 'db-b', 'c'] }, true],
  [
    "claims.roles.exists(r, r.name == 'dba' && r.region == claims.region)",
    { region: 'eu', roles: [{ name: 'dba', region: 'eu' }] },
    true,
  ],
  ["['a', 'b'].exists(g, g in claims.groups)", { groups: ['b'] }, true],
  ["claims.roles.exists(name, name == 'dba')", { roles: { dba: 1 } }, true],
  ["claims.groups.exists(g, g == 'a')", { groups: 'a' }, 'claims.groups is neither a list nor a map'],
  ['size(claims.groups) == 2', { groups: ['a', 'b'] }, true],
  ['size(claims.name) == 2', { name: '𝒂b' }, true],
  ['size(claims.level) == 2', { level: 2 }, 'claims.level has no size'],
  ["claims.a < 'b'", { a: 'a' }, true],
  ["claims.a < '\\uFFFF'", { a: '𝒂' }, false],
  ["claims.path == r'a\\b'", { path: 'a\\b' }, true],
  ["claims.a == 'x' // why", { a: 'x' }, true],
  // What objects of JavaScript inherit is no claim.
  ["claims.constructor == 'x'", {}, 'claims.constructor is not there'],
  ["claims.constructor == 'x'", { constructor: 'x' }, true],
  ["claims.__proto__ == 'x'", {}, 'claims.__proto__ is not there'],
  ["claims['__proto__'] == 'x'", {}, "claims['__proto__'] is not there"],
  ["claims.x.toString == 'x'", { x: {} }, 'claims.x.toString is not there'],
  ['claims.x.length == 1', { x: 'a' }, 'claims.x.length is not there'],
  ['claims.x.length == 1', { x: ['a'] }, 'claims.x.length is not there'],
  ['has(claims.toString)', {}, false],
  ["'toString' in claims", {}, false],
  ["'__proto__' in claims", {}, false],
  ["claims.exists(name, name == '__proto__')", {}, false],
  ['claims.a == claims.b', { a: JSON.parse('{"__proto__":{}}'), b: { c: 1 } }, false],
  ['claims.a == claims.b', { a: { c: 1 }, b: JSON.parse('{"__proto__":{}}') }, false],
];
for (const [expression, claims, expected] of DECISIONS) {
  test(`${expression} of ${JSON.stringify(claims)}: ${expected}`, () =>
    assert.equal(told(expression, claims), expected));
}

const NO_FUNCTION = 'There are has, size, startsWith, endsWith, contains, all, exists, exists_one, filter.';
const CLOCK = 'There is no clock here: write notBefore and notAfter.';
const TEXTS = 'Compare texts with ==, startsWith, endsWith or contains.';
const ARITHMETIC = 'Compare values as they are: there is no arithmetic, and texts are not joined.';
const LOOPS =
  'Keep one of all, exists, exists_one and filter, and compare its item with what is written or with a claim.';
const SYNTAX =
  'something is missing or left over (column 10). Close every bracket and quote, and write && and || between comparisons, == for equal.';
const KINDS = 'Compare values of one kind: texts are in quotes, numbers, true and false are not.';
const HAS =
  "has takes a name behind a dot (column 5). Write has(claims.NAME); of a name with dots, 'kubernetes.io' in claims.";
const NO_CALLER = 'it does not depend on the caller. Compare a claim, the subject or the issuer, or remove it.';
const NO_COMPARISON =
  'it is not a comparison (column 1). Write == true behind a claim, or compare it with what it must be.';

const REFUSED: readonly [expression: string, says: string][] = [
  // Regular expressions, however they are written.
  ["claims.a.matches('(a+)+$')", `matches is not accepted (column 10). ${TEXTS}`],
  ["matches(claims.a, '(a+)+$')", `matches is not accepted (column 1). ${TEXTS}`],
  ["subject == 'a' || claims.a . matches('a')", `matches is not accepted (column 30). ${TEXTS}`],
  ["claims.l.exists(g, g.matches('a'))", `matches is not accepted (column 22). ${TEXTS}`],
  ["(claims.a == 'a' ? claims.b : claims.c).matches('a')", `matches is not accepted (column 41). ${TEXTS}`],
  ["claims.a == 'b' &&\n  claims.é.matches('a')", SYNTAX.replace('column 10', 'line 2, column 10')],
  ["claims.a == 'é' &&\n  claims.a.matches('a')", `matches is not accepted (line 2, column 12). ${TEXTS}`],
  // Loops in loops, and loops that make lists.
  ["claims.l.exists(g, g.exists(h, h == 'a'))", `exists inside another loop is not accepted (column 22). ${LOOPS}`],
  [
    "claims.l.all(g, ['a'].exists_one(h, h == g))",
    `exists_one inside another loop is not accepted (column 23). ${LOOPS}`,
  ],
  [
    'claims.l.exists(g, claims.m.filter(h, h == g).size() > 0)',
    `filter inside another loop is not accepted (column 29). ${LOOPS}`,
  ],
  [
    "'a' in claims.l.map(g, g.name)",
    'map is not accepted (column 17). Test the items with exists or all instead of making a list of them.',
  ],
  [
    "claims.l.map(g, g == 'a', g)[0] == 'a'",
    'map is not accepted (column 10). Test the items with exists or all instead of making a list of them.',
  ],
  ["cel.bind(x, claims.a, x == 'a')", `bind is not accepted (column 5). ${NO_FUNCTION}`],
  [
    "claims.l.exists(claims, claims == 'a')",
    'claims has a meaning already (column 17). Give the item another name, such as g.',
  ],
  [
    "claims.l.exists('g', true)",
    "the first argument here is not a name (column 17). Give each item a name: claims.groups.exists(g, g == 'dba').",
  ],
  ['claims.l.exists(g)', "exists has another number of arguments (column 10). Write LIST.exists(g, g == 'a')."],
  [
    "claims.l.exists(g, g == 'a') && g == 'b'",
    'g is not known here (column 33). Write claims.NAME, subject or issuer.',
  ],
  // What makes texts longer, or reads a clock, or converts.
  ["claims.a + 'b' == 'ab'", `+ is not accepted (column 10). ${ARITHMETIC}`],
  ['claims.a - 1 == 2', `- is not accepted (column 10). ${ARITHMETIC}`],
  ['-claims.a == 2', `- is not accepted (column 1). ${ARITHMETIC}`],
  ['claims.a % 2 == 0', `% is not accepted (column 10). ${ARITHMETIC}`],
  ["timestamp('2026-01-01T00:00:00Z') < timestamp(claims.exp)", `timestamp is not accepted (column 1). ${CLOCK}`],
  ["duration('1h') == claims.a", `duration is not accepted (column 1). ${CLOCK}`],
  ['now() == claims.a', `now is not accepted (column 1). ${CLOCK}`],
  ['claims.a.getHours() == 1', `getHours is not accepted (column 10). ${CLOCK}`],
  ['string(claims.a) == "1"', `string is not accepted (column 1). ${NO_FUNCTION}`],
  ['type(claims.a) == string', `type is not accepted (column 1). ${NO_FUNCTION}`],
  ['dyn(claims.a) == 1', `dyn is not accepted (column 1). ${NO_FUNCTION}`],
  ["claims.a.lowerAscii() == 'a'", `lowerAscii is not accepted (column 10). ${NO_FUNCTION}`],
  ["claims.a.split(',') == ['a']", `split is not accepted (column 10). ${NO_FUNCTION}`],
  ["claims.a.constructor('x') == 'a'", `constructor is not accepted (column 10). ${NO_FUNCTION}`],
  ["claims.a.startWith('x')", 'startWith is not accepted (column 10). Did you mean startsWith?'],
  ['claims.a.startsWith()', 'startsWith has another number of arguments (column 10). Give it one.'],
  ['claims.a.size(1) == 1', 'size has another number of arguments (column 10). Give it none.'],
  ['size(claims.a, claims.b) == 1', 'size has another number of arguments (column 1). Give it one.'],
  // Names that are not there.
  ['claim.a == 1', 'claim is not known here (column 1). Did you mean claims?'],
  ["groups == 'a'", 'groups is not known here (column 1). Write claims.NAME, subject or issuer.'],
  ["serviceAccount == 'a'", 'serviceAccount is not known here (column 1). Write claims.NAME, subject or issuer.'],
  [
    "namespace == 'a'",
    'namespace is a reserved word (column 1). Write claims.NAME for a claim; namespace is a key of the grant, beside when.',
  ],
  [
    'google.protobuf.Duration == claims.a',
    'google is not known here (column 1). Write claims.NAME, subject or issuer.',
  ],
  ["subject.name == 'a'", 'this has no members (column 9). Only claims have members: claims.NAME.'],
  ["has(claims['a'])", HAS],
  ['has(claims)', HAS],
  // Kinds that do not fit.
  ['subject == 3', `there is no string == int (column 1). ${KINDS}`],
  ["'a' in subject", `there is no string in string (column 1). ${KINDS}`],
  ['!subject', `there is no !string (column 1). ${KINDS}`],
  [
    "claims.a == 'a' && subject",
    '&& and || take only what is true or false (column 1). Compare the value with == first.',
  ],
  [
    "subject ? claims.a == 'a' : claims.b == 'b'",
    'what stands before ? is neither true nor false (column 1). Compare the value with == first.',
  ],
  [
    "(claims.a == 'a' ? subject : 3) == 'a'",
    'the two values around : are of two kinds (column 2). Write values of one kind.',
  ],
  [
    "claims.a in ['a', 1]",
    'a list has values of several kinds (column 19). Write values of one kind: texts in quotes, or numbers.',
  ],
  [
    "subject.exists(g, g == 'a')",
    "this is no list (column 1). Write a claim that is a list, as in claims.groups.exists(g, g == 'dba').",
  ],
  ['claims.a.startsWith(5)', '5 is not a text (column 21). Put it in quotes.'],
  ["issuer.startsWith(claims.a == 'a')", `there is no string.startsWith(bool) (column 1). ${KINDS}`],
  [
    "['a']['b'] == claims.a",
    'a list has no members by name (column 1). Ask for an item by its position, or with exists.',
  ],
  ['claims.a', NO_COMPARISON],
  ["claims.a == 'x' ? true : claims.b", NO_COMPARISON],
  ['size(claims.a)', NO_COMPARISON],
  // What does not depend on the caller.
  ['true', NO_CALLER],
  ['[1, 2].exists(n, n == 2)', NO_CALLER],
  [
    "'claims.a' == 'x'",
    "'claims.a' == 'x' does not depend on the caller (column 1). Compare a claim, the subject or the issuer; only texts are in quotes.",
  ],
  [
    "claims.a == 'x' || 'b' in ['a']",
    "'b' in ['a'] does not depend on the caller (column 20). Compare a claim, the subject or the issuer; only texts are in quotes.",
  ],
  ["claims.a == 'x' || true", 'true here decides nothing (column 20). Remove it, or compare a claim with it.'],
  ['claims.l.all(g, true)', 'true here decides nothing (column 17). Remove it, or compare a claim with it.'],
  // Values that JSON does not have.
  [
    'claims.a == 9007199254740993',
    '9007199254740993 is too large (column 13). Compare texts: numbers above 9007199254740991 are not exact in JSON.',
  ],
  ['claims.a == 3u', '3u is not a value of JSON (column 13). Write a text or a plain number.'],
  ["claims.a == b'x'", "b'x' is not a value of JSON (column 13). Write a text or a plain number."],
  ["claims.a == {'b': 1}", 'a map is not accepted (column 13). Compare its members one by one.'],
  [
    'claims.a in [claims.b]',
    'claims.b is not accepted in a list (column 14). Write texts, numbers, true or false in a list.',
  ],
  // What is no CEL.
  ["claims.a = 'x'", SYNTAX],
  ['claims.a', NO_COMPARISON],
  ["claims.a == 'x' and claims.b", SYNTAX.replace('10', '17')],
  ['claims.a == “x”', SYNTAX.replace('10', '13')],
  ['(claims.a', SYNTAX],
  ['claims.?a == 1', SYNTAX.replace('10', '8')],
  ["claims.a == 'x", 'a text is not closed (column 13). Close it with the quote that opens it.'],
  [
    "claims.a == '\\q'",
    "a text holds an escape that is not CEL: Invalid escape sequence: \\q (column 14). Write a backslash as \\\\, or put r before the text: r'a\\b'.",
  ],
  [
    'claims.a == 1e999',
    'it is not accepted as CEL: Invalid number: Infinity (column 13). Write it as https://cel.dev describes; docs/policy.md says what is accepted.',
  ],
  [
    `${'('.repeat(41)}claims.a == 1${')'.repeat(41)}`,
    'it has too many parts, or brackets too deep (column 41). Write several grants instead.',
  ],
  [
    `claims.a in [${'1,'.repeat(501)}]`,
    'it has too many parts, or brackets too deep (column 1014). Write several grants instead.',
  ],
  [
    Array.from({ length: 160 }, () => 'claims.a==1').join('||'),
    'it has too many parts, or brackets too deep (column 1568). Write several grants instead.',
  ],
];
for (const [expression, says] of REFUSED) {
  test(`${JSON.stringify(expression.slice(0, 80))} is not compiled: ${says.slice(0, 60)}`, () => {
    assert.throws(
      () => compile(expression),
      (error) =>
        error instanceof ConditionMistake && assert.equal(`${error.message} ${error.mend}`, says) === undefined,
    );
  });
}

/** A list as long as a JWT can hold. */
const LONG = Array.from({ length: 6000 }, (_, at) => at % 10);

const COSTS: readonly [what: string, expression: string, claims: Claims, told: boolean | string][] = [
  ['a loop over a list as long as a JWT', 'claims.a.exists(g, g == 11)', { a: LONG }, false],
  [
    'three comparisons for each of its items',
    'claims.a.exists(g, g == 11 || g == 12 || g in [13])',
    { a: LONG },
    false,
  ],
  [
    'a list that is looked through for each item',
    'claims.a.exists(g, g in claims.b)',
    halves(11),
    'it takes too many steps',
  ],
  [
    'a list that is compared for each item',
    'claims.a.exists(g, claims.b != claims.c)',
    { a: LONG.slice(4000), b: LONG.slice(4000), c: LONG.slice(4000) },
    'it takes too many steps',
  ],
  [
    'a long text that is searched for each item',
    'claims.a.exists(g, claims.b.contains(g))',
    { a: Array.from({ length: 1500 }, () => 'aab'), b: 'a'.repeat(6000) },
    'it takes too many steps',
  ],
  [
    'a long text that is counted for each item',
    'claims.a.exists(g, size(claims.b) == 1)',
    { a: LONG.slice(3000), b: 'a'.repeat(6000) },
    'it takes too many steps',
  ],
  [
    'a doubt beside what takes too long',
    "subject == 'x' || claims.a.exists(g, g in claims.b)",
    halves(11),
    'it takes too many steps',
  ],
  [
    'values as deep as a JWT allows',
    'claims.a == claims.b',
    {
      a: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`),
      b: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`),
    },
    'a value is too deep to compare',
  ],
  ['a deep value and a text', "claims.a == 'x'", { a: JSON.parse(`${'['.repeat(6000)}${']'.repeat(6000)}`) }, false],
];

function halves(other: number): Claims {
  return { a: LONG.slice(3000), b: LONG.slice(3000).map(() => other) };
}

for (const [what, expression, claims, expected] of COSTS) {
  test(`the work for ${what} has a bound: ${expected}`, () => assert.equal(told(expression, claims), expected));
}

test('callers whose claims have ever other shapes leave nothing in memory', () => {
  const condition = compile("claims.a == 'x' || 'x' in claims.a || claims.a.exists(g, g == 'x')");
  const decide = (shape: number): void => {
    let value: Claims[string] = 'y';
    for (let bit = 0; bit < 14; bit++) value = (shape >> bit) % 2 === 0 ? [value] : { k: value };
    condition.holds(caller({ claims: { a: value } }));
  };
  for (let shape = 0; shape < 1000; shape++) decide(shape);
  const before = liveBytes();
  // Twenty thousand of them cost the library's own evaluator 38 MB.
  for (let shape = 0; shape < 16_384; shape++) decide(shape);
  assert.ok(liveBytes() - before < 5_000_000);
});

test('the same expression is compiled once, and a mistake in it told each time', () => {
  assert.equal(compile("'dba' in claims.groups"), compile("'dba' in claims.groups"));
  assert.throws(() => compile('claims.a'), ConditionMistake);
  assert.throws(() => compile('claims.a'), ConditionMistake);
});

test('why it cannot be told quotes the expression, never a claim', () => {
  for (const expression of [
    'claims.a > 1',
    "claims.a.exists(g, g == 'x')",
    "claims.a && subject != ''",
    "claims.a.b == 'x'",
    '!claims.a',
    "'x' in claims.a",
  ]) {
    const why = told(expression, { a: 'hunter2' });
    assert.ok(typeof why === 'string' && !why.includes('hunter2'), expression);
  }
});
