import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditorRule, compileAuditors } from '../../src/issuance/auditors.ts';
import type { Caller } from '../../src/issuance/caller.ts';
import { caller, CIRCUMSTANCES } from '../support/catalog.ts';

const RULE: AuditorRule = { name: 'security', issuer: 'corp', claims: { groups: 'security-audit' } };
const AUDITOR = caller({ issuer: 'corp', subject: 'alice', claims: { groups: ['staff', 'security-audit'] } });

const CALLERS: readonly [what: string, changes: Partial<Caller>, rule: Partial<AuditorRule>, may: boolean][] = [
  ['of the group', {}, {}, true],
  ['of another group', { claims: { groups: ['staff'] } }, {}, false],
  ['without the claim', { claims: {} }, {}, false],
  ['of another issuer that says the same', { issuer: 'cluster' }, {}, false],
  ['of the subject but not of the group', { claims: {} }, { subject: 'alice' }, false],
  ['of the group but not of the subject', {}, { subject: 'bob' }, false],
  ['of both', {}, { subject: 'alice' }, true],
  ['of the glob', { subject: 'ops:alice' }, { claims: undefined, subjectGlob: 'ops:*' }, true],
  ['beyond the glob', { subject: 'ops:alice:x' }, { claims: undefined, subjectGlob: 'ops:*' }, false],
  ['whose subject only holds a star', { subject: '*' }, { claims: undefined, subject: 'alice' }, false],
];
for (const [what, changes, rule, may] of CALLERS) {
  test(`a caller ${what} ${may ? 'is' : 'is not'} an auditor`, () => {
    const auditors = compileAuditors([{ ...RULE, ...rule }]);
    assert.equal(auditors.matching({ ...AUDITOR, ...changes }, CIRCUMSTANCES), may ? 'security' : null);
  });
}

test('without entries nobody is an auditor', () => {
  assert.equal(compileAuditors([]).matching(AUDITOR, CIRCUMSTANCES), null);
});

test('of several entries that match, the first of the configuration is the one on record', () => {
  const auditors = compileAuditors([
    { ...RULE, name: 'none', subject: 'bob' },
    { ...RULE, name: 'first' },
    { ...RULE, name: 'second' },
  ]);
  assert.equal(auditors.matching(AUDITOR, CIRCUMSTANCES), 'first');
});

test('an entry that every caller of an issuer would match does not compile', () => {
  assert.throws(
    () => compileAuditors([{ name: 'all', issuer: 'corp', claims: {} }]),
    /^Error: auditor all names neither a subject nor a claim$/,
  );
});
