import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStrictJson } from '../../src/issuance/strict-json.ts';

test('JSON with unique keys is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(parseStrictJson(text), JSON.parse(text));
    }),
  );
});

for (const text of [
  '{"a":1,"a":1}',
  '{"a":1, "\\u0061" : 2}',
  '[{"x":{"k":[],"k":{}}}]',
  '{"":1,"":2}',
  '{"__proto__":1,"__proto__":2}',
  '{"\\"":1,"\\"":2}',
]) {
  test(`${text} is refused for its repeated key`, () => {
    assert.throws(() => parseStrictJson(text), { name: 'SyntaxError', message: 'an object has the same key twice' });
  });
}

for (const text of [
  '{"a":"a","b":"a"}',
  '[{"a":1},{"a":2}]',
  '{"a":{"a":{"a":1}}}',
  '{"a":"\\"a\\":1,\\"a\\":2"}',
  '{"a":"\\\\","b":1}',
]) {
  test(`${text} repeats no key of one object`, () => {
    assert.deepEqual(parseStrictJson(text), JSON.parse(text));
  });
}

test('what is not JSON is refused without quoting it', () => {
  for (const text of ['', '{', '{"secret":}', 'undefined', "{'a':1}", '{"a":1,}', 'NaN']) {
    assert.throws(() => parseStrictJson(text), { name: 'SyntaxError', message: 'not valid JSON' });
  }
});
