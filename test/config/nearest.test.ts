import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, suggest } from '../../src/config/nearest.ts';

for (const [wanted, known, expected] of [
  ['prot', ['port', 'host'], 'port'],
  ['Port', ['port'], 'port'],
  ['audience', ['audiences'], 'audiences'],
  ['users', ['user', 'usr'], 'user'],
  ['compression', ['port'], undefined],
  ['abcd', ['wxyz'], undefined],
  ['x', ['y'], undefined],
  ['', ['a'], undefined],
] as const) {
  test(`${JSON.stringify(wanted)} among ${known.join(', ')} is taken for ${expected ?? 'none of them'}`, () => {
    assert.equal(nearest(wanted, known), expected);
  });
}

test('a suggestion lists at most twenty names', () => {
  const names = Array.from({ length: 30 }, (_, index) => `database-${index}`);
  assert.equal(suggest('orders', names, 'in databases').split(',').length, 20);
  assert.equal(suggest('orders', [], 'in databases'), 'There is none in databases.');
});
