import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Claims, claimAt } from '../../src/issuance/caller.ts';
import { compileGrants, type GrantRule } from '../../src/issuance/grants.ts';
import { compileSubjectGlob } from '../../src/issuance/subject-glob.ts';
import { caller, CATALOG, CIRCUMSTANCES } from '../support/catalog.ts';

const RULE: GrantRule = {
  name: 'g',
  issuer: 'cluster',
  subject: 's',
  allow: [{ database: 'orders', users: ['u'], endpoints: ['writer'] }],
};

const CLAIMS: readonly [
  what: string,
  wanted: Record<string, string | number | boolean>,
  claims: Claims,
  matches: boolean,
][] = [
  ['equals', { team: 'a' }, { team: 'a' }, true],
  ['differs', { team: 'a' }, { team: 'b' }, false],
  ['differs in case', { team: 'a' }, { team: 'A' }, false],
  ['contains', { team: 'a' }, { team: 'ab' }, false],
  ['is a list that contains it', { team: 'a' }, { team: ['b', 'a'] }, true],
  ['is a list that does not', { team: 'a' }, { team: ['b', ['a']] }, false],
  ['is an empty list', { team: 'a' }, { team: [] }, false],
  ['is an object', { team: 'a' }, { team: { a: 'a' } }, false],
  ['is missing', { team: 'a' }, {}, false],
  ['is null', { team: 'a' }, { team: null }, false],
  ['is a number for a text', { team: '1' }, { team: 1 }, false],
  ['is the number', { team: 1 }, { team: 1 }, true],
  ['is true', { team: true }, { team: true }, true],
  ['is "true" for true', { team: true }, { team: 'true' }, false],
  ['is deep', { 'a.b.c': 'x' }, { a: { b: { c: 'x' } } }, true],
  ['has dots in its name', { 'kubernetes.io.namespace': 'p' }, { 'kubernetes.io': { namespace: 'p' } }, true],
  ['could be two claims', { 'a.b': 'x' }, { 'a.b': 'x', a: { b: 'x' } }, false],
  ['is inherited', { 'constructor.name': 'Object' }, {}, false],
  ['is one of two', { team: 'a', role: 'r' }, { team: 'a' }, false],
  ['is both of two', { team: 'a', role: 'r' }, { team: 'a', role: ['r'] }, true],
];
for (const [what, wanted, claims, matches] of CLAIMS) {
  test(`a claim that ${what} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(wanted)}`, () => {
    const grants = compileGrants([{ ...RULE, claims: wanted }], CATALOG);
    assert.equal(grants.matching(caller({ subject: 's', claims }), CIRCUMSTANCES).length, matches ? 1 : 0);
  });
}

test('a claim path that meets a list or a text on its way names nothing', () => {
  assert.equal(claimAt({ a: ['b'] }, 'a.0'), undefined);
  assert.equal(claimAt({ a: 'text' }, 'a.length'), undefined);
});

const GLOBS: readonly [glob: string, subject: string, matches: boolean][] = [
  ['system:serviceaccount:payments:*', 'system:serviceaccount:payments:api', true],
  ['system:serviceaccount:payments:*', 'system:serviceaccount:payments:', true],
  ['system:serviceaccount:payments:*', 'system:serviceaccount:payments:a:b', false],
  ['system:serviceaccount:payments:*', 'system:serviceaccount:payments-evil:api', false],
  ['system:serviceaccount:*:api', 'system:serviceaccount:a:b:api', false],
  ['repo:org/*:ref:refs/heads/main', 'repo:org/a:ref:refs/heads/main', true],
  ['repo:org/*:ref:refs/heads/main', 'repo:org/a/b:ref:refs/heads/main', false],
  ['repo:org/*', 'repo:org-evil/a', false],
  ['main|dev', 'main-evil', false],
  ['job-*-x', 'job--x', true],
  ['job-*-x', 'job-x', false],
  ['a*b*c', 'a1b2b3c', true],
  ['a*b*c', 'acb', false],
  ['a*bc*c', 'abc', false],
  ['a*bc*c', 'abcc', true],
  ['a*bc*c', 'abbc', false],
  ['a*b*b*c', 'abc', false],
  ['a*b*b*c', 'abbc', true],
  ['a*bb*bb*c', 'abbbc', false],
  ['a*bb*bb*c', 'abbbbc', true],
  ['a.c', 'abc', false],
  ['a*', 'b', false],
  ['a', 'A', false],
  ['a:b', 'a/b', false],
];
for (const [glob, subject, matches] of GLOBS) {
  test(`the glob ${glob} ${matches ? 'matches' : 'does not match'} ${subject}`, () => {
    assert.equal(compileSubjectGlob(glob)(subject), matches);
  });
}

test('a glob matches what a plain backtracking definition of it matches', () => {
  const reference = (glob: string, text: string): boolean => {
    if (glob === '') return text === '';
    if (glob[0] !== '*') return glob[0] === text[0] && reference(glob.slice(1), text.slice(1));
    return (
      reference(glob.slice(1), text) || (text !== '' && !':/'.includes(text[0] ?? '') && reference(glob, text.slice(1)))
    );
  };
  const characters = (set: string) => fc.string({ unit: fc.constantFrom(...set), maxLength: 9 });
  fc.assert(
    fc.property(characters('ab:/*'), characters('ab:/'), (glob, subject) => {
      assert.equal(compileSubjectGlob(glob)(subject), reference(glob, subject));
    }),
    { numRuns: 5000 },
  );
});

test('a hostile subject of a megabyte is decided at once', () => {
  const matches = compileSubjectGlob(`${'a*'.repeat(50)}b`);
  assert.equal(matches('a'.repeat(1_000_000)), false);
});

const BROKEN: readonly [what: string, rule: GrantRule][] = [
  ['an unknown database', { ...RULE, allow: [{ database: 'nope', users: ['u'], endpoints: ['writer'] }] }],
  ['an unknown endpoint', { ...RULE, allow: [{ database: 'orders', users: ['u'], endpoints: ['nope'] }] }],
  ['neither subject nor claim', { name: 'g', issuer: 'cluster', allow: RULE.allow }],
];
for (const [what, rule] of BROKEN) {
  test(`a rule with ${what} does not compile`, () => {
    assert.throws(() => compileGrants([rule], CATALOG), /^Error: grant g names/);
  });
}

const DENIALS: readonly [what: string, deny: NonNullable<GrantRule['deny']>, error: RegExp | null][] = [
  ['an unknown database', [{ database: 'nope' }], /^Error: grant g names the unknown database nope/],
  ['an endpoint that its database has not', [{ database: 'orders', endpoints: ['nope'] }], /^Error: grant g names/],
  ['an endpoint that no database has', [{ database: '*', endpoints: ['nope'] }], /^Error: grant g names/],
  ['an endpoint that some database has', [{ database: '*', endpoints: ['reader'] }], null],
  ['an endpoint of its database', [{ database: 'orders', endpoints: ['reader'] }], null],
];
for (const [what, deny, error] of DENIALS) {
  test(`a rule that denies ${what} ${error === null ? 'compiles' : 'does not compile'}`, () => {
    const { allow: _allow, ...rule } = RULE;
    const compile = () => compileGrants([{ ...rule, deny }], CATALOG);
    if (error === null) assert.equal(compile().all[0]?.denials.length, 1);
    else assert.throws(compile, error);
  });
}
