import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, VALID } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

const mistakes: readonly Mistake[] = [
  [
    'a tab as indentation',
    'server:\n  port: 8080',
    'server:\n\tport: 8080',
    '2:1: This is not valid YAML: Tabs are not allowed as indentation. Indent with spaces.',
  ],
  [
    'a list that is not closed',
    '    audiences: [vendor]\ndatabases:',
    '    audiences: [vendor\ndatabases:',
    '10:1: This is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Indent the lines of one level alike, and close every bracket.',
  ],
  [
    'a text that begins with @',
    'users: [app_rw]',
    'users: [@me]',
    '26:17: This is not valid YAML: Plain value cannot start with reserved character @. Put the text in quotes.',
  ],
  [
    'an unquoted star',
    'users: [app_rw]',
    'users: [*, a]',
    '26:17: This is not valid YAML: Alias cannot be an empty string. Put a text that begins with * or & in quotes.',
  ],
  [
    'a key written twice',
    '  port: 8080',
    '  port: 8080\n  port: 8081',
    '3:3: The key "port" is written twice in the same map. Keep one of them.',
  ],
  [
    'a section written twice',
    'limits:',
    'server: { host: 0.0.0.0 }\nlimits:',
    '27:1: The key "server" is written twice in the same map. Keep one of them.',
  ],
  [
    'a merge key',
    '  port: 8080',
    '  <<: { port: 8080 }',
    '2:3: The merge key << is not accepted. Write the keys out: YAML 1.2 has no merge keys.',
  ],
  [
    'a key that would reach the prototype of objects',
    '  port: 8080',
    '  __proto__: { port: 8080 }',
    '2:3: The key __proto__ is not accepted. Write another name.',
  ],
  [
    'a key that is a list',
    '  port: 8080',
    '  ? [port]\n  : 8080',
    '2:5: A key here is not plain text. Write a word as the key.',
  ],
  [
    'an alias of nothing',
    'port: 8080',
    'port: *port',
    '2:9: This alias names no anchor before it. Put a text that begins with * in quotes.',
  ],
  [
    'an alias that contains itself',
    'port: 8080',
    'trustedProxies: &p [*p]',
    '2:23: This alias contains itself. Write the value itself.',
  ],
  ['a tag', 'port: 8080', 'port: !!binary aGk=', '2:18: The tag !!binary is not accepted. Remove the tag.'],
  ['a tag of its own', 'port: 8080', 'port: !port 8080', '2:15: The tag !port is not accepted. Remove the tag.'],
  [
    'a second document',
    'limits:',
    '---\nlimits:',
    '27:1: A second YAML document begins here. Keep one document in the file: remove the --- line.',
  ],
  [
    'another version of YAML',
    'server:\n',
    '%YAML 1.1\n---\nserver:\n',
    '1:1: The file declares another version of YAML. Remove the %YAML line: the file is read as YAML 1.2.',
  ],
  [
    'a yes, which YAML 1.2 reads as a text',
    'port: 8080',
    'port: yes',
    '2:9: server.port cannot be "yes". Write a port, 1 to 65535, or 0 for any free one.',
  ],
];

testMistakes(mistakes);

test('a repeated key does not hide the other mistakes', () => {
  assert.deepEqual(problemsOf(VALID.replace('port: 8080', 'port: 1\n  port: 2\n  prot: 3')), [
    '3:3: The key "port" is written twice in the same map. Keep one of them.',
    '4:3: server.prot is not a known key. Did you mean port?',
  ]);
});

test('an alias bomb is refused without being expanded', () => {
  const levels = Array.from({ length: 12 }, (_, level) =>
    level === 0
      ? 'a0: &a0 [x, x]'
      : `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
  );
  assert.deepEqual(problemsOf(levels.join('\n')), [
    '1:1: The aliases multiply without bounds. Write the values out instead of repeating them with anchors (&name) and aliases (*name).',
  ]);
});

for (const [what, text] of [
  ['nothing', ''],
  ['white space', ' \n\n'],
  ['comments', '# nothing\n'],
  ['null', 'null\n'],
] as const) {
  test(`a file with only ${what} in it is called empty`, () => {
    assert.deepEqual(problemsOf(text), [
      '1:1: The file is empty. Write at least issuers and databases; docs/configuration.md has an example.',
    ]);
  });
}

test('a file that is a list is refused', () => {
  assert.deepEqual(problemsOf('- a\n'), [
    '1:1: The configuration cannot be a list like this. Write keys with their values here.',
  ]);
});

test('a file that is not UTF-8 is refused', () => {
  assert.deepEqual(problemsOf(Uint8Array.of(0x73, 0xff, 0xfe)), ['1:1: The file is not UTF-8 text. Save it as UTF-8.']);
});

test('a file with a byte order mark and CRLF line ends is read', () => {
  assert.deepEqual(problemsOf(`\uFEFF${VALID.replaceAll('\n', '\r\n')}`), []);
});
