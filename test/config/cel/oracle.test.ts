import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import type { Claims } from '../../../src/issuance/caller.ts';
import { createConditionCompiler } from '../../../src/config/cel-condition.ts';
import { caller } from '../../support/catalog.ts';

/*
 * The library's own evaluator as the oracle of ours. Left out is where they differ on purpose: numbers above 2^53, has()
 * of what is no map, texts beyond ASCII in an order, claims called constructor and __proto__, and what is no text `in` a
 * map, which the library answers now with false, now with an error.
 */

const environment = new Environment()
  .registerVariable('claims', 'map')
  .registerVariable('subject', 'string')
  .registerVariable('issuer', 'string');

const SCALARS: readonly (string | number | boolean | null)[] = ['a', 'b', 'ab', '', 0, 1, 2.5, -1, true, false, null];
const scalar = fc.constantFrom(...SCALARS);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('any'), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'n'), tie('any'), { maxKeys: 3 }) },
  ),
})).any;
/** `l` is a list where it is there. */
const claims = fc
  .tuple(
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'm'), value, { maxKeys: 4 }),
    fc.option(fc.array(value, { maxLength: 3 })),
  )
  .map(([members, list]) => (list === null ? members : { ...members, l: list }));

const literal = scalar.filter((one) => one !== null).map((one) => JSON.stringify(one));
const listLiteral = fc.oneof(
  fc.array(fc.constantFrom('"a"', '"b"', '""'), { minLength: 1, maxLength: 3 }),
  fc.array(fc.constantFrom('0', '1', '-1'), { minLength: 1, maxLength: 3 }),
);
const path = fc.constantFrom(
  ...['claims.a', 'claims.b', 'claims.c', 'claims.l', 'claims.m', 'claims.m.n', 'claims.m["a"]', 'claims.l[0]'],
  ...['claims.l[1]', 'subject', 'claims'],
);

/** Expressions over paths; `item` is the name that a loop around has given. */
function condition(item: string | null): fc.Arbitrary<string> {
  const place = item === null ? path : fc.oneof(path, fc.constantFrom(item, `${item}.n`));
  return fc.letrec<{ operand: string; test: string }>((tie) => ({
    operand: fc.oneof({ weight: 5, arbitrary: place }, { weight: 3, arbitrary: literal }),
    test: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'test' },
      fc
        .tuple(place, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), tie('operand'))
        .map(([left, operator, right]) => `${left} ${operator} ${right}`),
      fc.tuple(fc.constantFrom('"a"', '"b"', '"n"', '""'), place).map(([wanted, holder]) => `${wanted} in ${holder}`),
      tie('operand').map((wanted) => `${wanted} in claims.l`),
      fc.tuple(place, listLiteral).map(([wanted, items]) => `${wanted} in [${items.join(', ')}]`),
      fc.tuple(place, listLiteral).map(([left, items]) => `${left} == [${items.join(', ')}]`),
      fc
        .tuple(place, fc.constantFrom('startsWith', 'endsWith', 'contains'), place)
        .map(([text, name, part]) => `${text}.${name}(${part})`),
      fc
        .tuple(place, fc.constantFrom('startsWith("a")', 'endsWith("b")', 'contains("")'))
        .map((both) => both.join('.')),
      fc.tuple(place, fc.constantFrom('0', '1', '2')).map(([of, number]) => `size(${of}) == ${number}`),
      fc.tuple(place, fc.constantFrom('0', '1', '2')).map(([of, number]) => `${of}.size() >= ${number}`),
      fc.constantFrom('has(claims.a)', 'has(claims.z)'),
      place.map((one) => `!${one}`),
      tie('test').map((one) => `!(${one})`),
      fc
        .tuple(tie('test'), fc.constantFrom('&&', '||'), fc.oneof(tie('test'), place))
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc
        .tuple(place, fc.constantFrom('&&', '||'), tie('test'))
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(tie('test'), tie('test'), tie('test')).map(([one, then, other]) => `(${one} ? ${then} : ${other})`),
      ...(item === null ? [loop] : []),
    ),
  })).test;
}

const range = fc.oneof(path, fc.constantFrom('["a", "b"]', '[0, 1]'));
const body = fc.oneof(condition('g'), fc.constantFrom('g', 'g.n'));
const loop: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(range, fc.constantFrom('all', 'exists', 'exists_one'), body)
    .map(([of, macro, test]) => `${of}.${macro}(g, ${test})`),
  fc
    .tuple(range, body, fc.constantFrom('0', '1'))
    .map(([of, test, size]) => `${of}.filter(g, ${test}).size() == ${size}`),
);

type Told = boolean | 'doubt';

function told(evaluate: () => unknown): Told {
  try {
    const value = evaluate();
    return typeof value === 'boolean' ? value : 'doubt';
  } catch {
    return 'doubt';
  }
}

test('what an expression says of claims is what the library says', () => {
  const compile = createConditionCompiler();
  const counts = new Map<Told | 'refused', number>();
  fc.assert(
    fc.property(condition(null), fc.array(claims, { minLength: 4, maxLength: 4 }), (expression, several) => {
      const theirs = environment.parse(expression);
      let ours: ReturnType<typeof compile>;
      try {
        ours = compile(expression);
      } catch {
        counts.set('refused', (counts.get('refused') ?? 0) + 1);
        return;
      }
      assert.deepEqual(theirs.check().type, 'bool', expression);
      for (const given of several) {
        // Built anew as JSON.parse does: fast-check's dictionaries may have no prototype.
        const parsed: Claims = JSON.parse(JSON.stringify(given));
        const said = told(() => ours.holds(caller({ subject: 'ab', claims: parsed })));
        const expected = told(() => theirs({ claims: parsed, subject: 'ab', issuer: 'cluster' }));
        assert.equal(said, expected, `${expression} of ${JSON.stringify(parsed)}`);
        counts.set(said, (counts.get(said) ?? 0) + 1);
      }
    }),
    { numRuns: 8000 },
  );
  for (const one of [true, false, 'doubt'] as const)
    assert.ok((counts.get(one) ?? 0) > 1000, JSON.stringify([...counts]));
});
