import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readConfigYaml } from '../../src/config/read-yaml.ts';
import { readFastYaml } from '../../src/config/fast-yaml.ts';
import { readYaml } from '../../src/config/yaml-source.ts';
import { VALID } from '../support/config-file.ts';

/* The fast reader may give up at anything. What it reads has to be what the full parser reads, at the same places. */

/** `RTV_YAML_CASES=1000000 npx node --test test/config/fast-yaml.test.ts` looks for longer. */
const CASES = Number(process.env['RTV_YAML_CASES'] ?? 20_000);

const EXAMPLES = new URL('../../openapi/examples/', import.meta.url);
const EXAMPLE = readFileSync(new URL('config.yaml', EXAMPLES), 'utf8');

/** Whether the fast reader read it. Fails when the two disagree. */
function agree(text: string): boolean {
  if (readFastYaml(text) === undefined) return false;
  const fast = readConfigYaml('f', text, 'mend');
  const full = readYaml('f', text, 'mend');
  assert.deepEqual(full.problems, []);
  // The key order is that of the text in both; deepEqual alone would not see it.
  assert.equal(JSON.stringify(fast.value), JSON.stringify(full.value));
  assert.deepStrictEqual(fast.value, full.value);
  for (const path of pathsIn(fast.value)) {
    for (const atKey of [true, false]) {
      const finding = { path, message: '', mend: '', atKey };
      assert.deepEqual(fast.place(finding), full.place(finding), JSON.stringify([path, atKey]));
    }
  }
  return true;
}

/** All of them, and for each holder one that does not exist. */
function pathsIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, [...path, 'absent'], ...entries.flatMap(([step, inner]) => pathsIn(inner, [...path, step]))];
}

test('the examples are read alike, and the whole one by the fast reader', () => {
  const names = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  assert.ok(names.length > 5);
  for (const name of names) agree(readFileSync(new URL(name, EXAMPLES), 'utf8'));
  assert.ok(agree(EXAMPLE));
  assert.ok(agree(VALID));
});

const LEFT_TO_THE_FULL_PARSER: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['comments alone', '# a\n'],
  ['a scalar alone', 'a\n'],
  ['an anchor', 'a: &x 1\nb: 2\n'],
  ['an alias', 'a: &x {b: 1}\nc: *x\n'],
  ['a merge key', 'a: {<<: {b: 1}}\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a directive', '%YAML 1.2\n---\na: 1\n'],
  ['a document marker', '---\na: 1\n'],
  ['an end of a document', 'a: 1\n...\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['a literal text', 'a: |\n  b\n'],
  ['a folded text', 'a: >-\n  b\n  c\n'],
  ['a plain text over two lines', 'a: b\n  c\n'],
  ['a quoted text over two lines', 'a: "b\n  c"\n'],
  ['a tab for indentation', 'a:\n\tb: 1\n'],
  ['a tab after a value', 'a: 1\t\n'],
  ['CRLF', 'a: 1\r\nb: 2\r\n'],
  ['a byte order mark', '\ufeffa: 1\n'],
  ['a no-break space', 'a:\u00a0b\n'],
  ['a line separator', 'a: b\u2028c: d\n'],
  ['a control character', 'a: b\u0007\n'],
  ['NUL', 'a: "\u0000"\n'],
  ['a repeated key', 'a: 1\na: 2\n'],
  ['a repeated key of a flow map', 'x: {a: 1, a: 2}\n'],
  ['a key that every object has', 'constructor: 1\n'],
  ['__proto__', '__proto__: {a: 1}\n'],
  ['__proto__ in a flow map', 'a: {"__proto__": {a: 1}}\n'],
  ['a number as a key', '1: a\n'],
  ['null as a key', '~: a\n'],
  ['a key that is a collection', '{a: 1}: b\n'],
  ['an explicit key', '? a\n: b\n'],
  ['an octal number', 'a: 0o17\n'],
  ['a hexadecimal number', 'a: 0x1F\n'],
  ['infinity', 'a: .inf\n'],
  ['not a number', 'a: .nan\n'],
  ['a plus sign', 'a: +1\n'],
  ['an indicator first', 'a: @b\n'],
  ['a backquote', 'a: `b`\n'],
  ['an escape that JSON has not', 'a: "\\x41"\n'],
  ['an indentation between two levels', 'a:\n    b: 1\n  c: 2\n'],
  ['a list beside a map', 'a: 1\n- b\n'],
  ['an unclosed bracket', 'a: [1, 2\n'],
  ['a closing bracket at the margin of a nested one', 'a: [[1\n]]\n'],
  ['a colon without a space in a flow map', 'a: {b:1}\n'],
  ['a key of over 1,000 characters', `${'k'.repeat(1001)}: 1\n`],
  ['very deep nesting', `a: ${'['.repeat(100)}${']'.repeat(100)}\n`],
];
for (const [what, text] of LEFT_TO_THE_FULL_PARSER) {
  test(`${what} is left to the full parser`, () => assert.equal(readFastYaml(text), undefined));
}

const READ: readonly [what: string, text: string][] = [
  ['words that look like others', 'a: [yes, no, on, off, True, NULL, nullx, truely, 1_000, 1:30, 2026-11-24, 1e3x]\n'],
  ['numbers', 'a: [0, -1, 010, 1.5, -1.5e-3, 1e3, 12345678901234567890, 1., 0123.5]\n'],
  ['texts with signs', "a: b#c\nd: e:f\ng: http://h/i?j=k&l\nm: 'n: o # p'\nq: r  # s\n"],
  ['quotes', `a: 'it''s'\nb: "q\\"\\u00e9\\n"\n'c d': 1\n"e": {'f': 2, "g": 3}\n`],
  ['nothing as a value', 'a:\nb: ~\nc: null\nd: ""\ne: []\nf: {}\n'],
  ['lists at the margin of their key', 'a:\n- b\n- c: 1\n  d: 2\ne: 3\n'],
  ['lists in lists', 'a:\n  - [b, [c]]\n  - - 1\n'],
  ['comments everywhere', '# x\na: # y\n  # z\n  b: 1 # w\n\n  # v\nc: [1, # u\n  2]\n# t'],
  ['flow collections over lines', 'a: {\n  b: 1,\n  c: [2,\n    3,\n  ],\n}\nd: 4\n'],
  ['other alphabets', 'ключ: значение\n日本: [語]\nemoji: 😀\n'],
  ['no line feed at the end', 'a: 1'],
];
for (const [what, text] of READ) {
  // The fast reader may leave one to the full parser; that they agree is what counts.
  test(`${what}: both read the same`, () => void agree(text));
}

/** What a slip of the hand, or of somebody who means harm, puts into a text. */
const BITS = [
  ...[...' \n\t\r:-?,[]{}#&*!|>\'"%@`~.0+<=x'],
  ...[
    ': ',
    ' #',
    '- ',
    '\n  ',
    '\n- ',
    '---\n',
    '...',
    '&a ',
    '*a',
    '!!str ',
    '<<: ',
    '? ',
    '|\n  ',
    '>-\n',
    '0x1',
    '.inf',
  ],
  ...[
    '__proto__: ',
    'null',
    'true',
    '\u00a0',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u0000',
    "''",
    '\\',
    '\\x41',
    '\ud800',
    'a: 1\n',
  ],
];

test('of texts with slips, what the fast reader reads is what the full parser reads', () => {
  const slip = fc.record({
    at: fc.nat(),
    remove: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat(12), weight: 1 }),
    insert: fc.oneof({ arbitrary: fc.constantFrom(...BITS), weight: 4 }, { arbitrary: fc.string(), weight: 1 }),
  });
  const sample = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 400 })).map(([from, length]) => {
    const lines = EXAMPLE.split('\n');
    const first = from % lines.length;
    // From the beginning of a line, so that it is often whole.
    return `${lines.slice(first).join('\n').slice(0, length)}\n`;
  });
  const spoilt = fc.tuple(sample, fc.array(slip, { maxLength: 4 })).map(([text, slips]) =>
    slips.reduce((before, { at, remove, insert }) => {
      const place = at % (before.length + 1);
      return before.slice(0, place) + insert + before.slice(place + remove);
    }, text),
  );
  assert.ok(readBy(spoilt) > CASES / 20);
});

test('of texts made of pieces of YAML, what the fast reader reads is what the full parser reads', () => {
  const word = fc.constantFrom(
    'a',
    'b',
    'key',
    "'q'",
    '"d"',
    '1',
    '-1.5',
    'true',
    '~',
    'a b',
    'x:y',
    'x#y',
    '{',
    '[',
    '"__proto__"',
  );
  const value = fc.oneof(word, fc.constantFrom('[a, b]', '{a: 1}', '{a: [1, {b: c}]}', '', '[', '}', '|', '"a', '- a'));
  const line = fc
    .record({
      indent: fc.nat(5),
      dash: fc.nat(2),
      key: fc.option(word),
      value,
      end: fc.constantFrom('', ' ', ' # c', '#', '\t'),
    })
    .map(
      ({ indent, dash, key, value, end }) =>
        ' '.repeat(indent) + '- '.repeat(dash) + (key === null ? '' : `${key}: `) + value + end,
    );
  assert.ok(readBy(fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join('\n'))) > CASES / 100);
});

/** How many the fast reader read. */
function readBy(texts: fc.Arbitrary<string>): number {
  let read = 0;
  fc.assert(
    fc.property(texts, (text) => {
      if (agree(text)) read++;
    }),
    { numRuns: CASES },
  );
  return read;
}
