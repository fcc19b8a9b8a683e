import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadText, problemsOf, VALID, warningsOf, withChange } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

/* Whom grants and auditors are for: expressions, addresses and service accounts. */

const SUBJECT = '    subject: system:serviceaccount:payments:api\n';

/** A row whose grant has one more line. */
function line(what: string, written: string, ...problems: string[]): Mistake {
  return [what, '    allow:', `    ${written}\n    allow:`, ...problems];
}

const mistakes: readonly Mistake[] = [
  line(
    'an expression with a regular expression',
    'when: claims.team.matches("^a")',
    '24:11: grants[0].when: matches is not accepted (column 13). Compare texts with ==, startsWith, endsWith or contains.',
  ),
  line(
    'an expression that is a claim by itself',
    'when: claims.admin',
    '24:11: grants[0].when: it is not a comparison (column 1). Write == true behind a claim, or compare it with what it must be.',
  ),
  line(
    'an expression that is always true',
    'when: "true"',
    '24:11: grants[0].when: it does not depend on the caller. Compare a claim, the subject or the issuer, or remove it.',
  ),
  line(
    'an expression that YAML reads as a boolean',
    'when: true',
    '24:11: grants[0].when cannot be true. Write a CEL expression that is true or false. Put it in quotes: without them it is a boolean.',
  ),
  line(
    'an empty expression',
    'when: ""',
    '24:11: grants[0].when is empty. Write a CEL expression that is true or false.',
  ),
  line(
    'an expression of two lines',
    'when: |\n      subject == "a" ||\n      claims.b.map(g, g) == subject',
    '24:11: grants[0].when: map is not accepted (line 2, column 10). Test the items with exists or all instead of making a list of them.',
  ),
  [
    'an expression of an auditor',
    'limits:',
    'auditors: [{ name: a, issuer: corp, subject: jo, when: claim.a == 1 }]\nlimits:',
    '27:56: auditors[0].when: claim is not known here (column 1). Did you mean claims?',
  ],
  line(
    'a range that begins before its address',
    'sourceCidrs: [10.0.0.0/8, 10.1.2.3/8]',
    '24:31: grants[0].sourceCidrs[1] is 10.1.2.3/8, which begins before that address. Write 10.0.0.0/8 for the range, or 10.1.2.3 for one address.',
  ),
  line(
    'a range of IPv6 that begins before its address',
    'sourceCidrs: ["2001:db8::1/32"]',
    '24:19: grants[0].sourceCidrs[0] is 2001:db8::1/32, which begins before that address. Write 2001:db8::/32 for the range, or 2001:db8::1 for one address.',
  ),
  [
    'a range of an auditor that begins before its address',
    'limits:',
    'auditors: [{ name: a, issuer: corp, subject: jo, sourceCidrs: [10.0.0.1/31] }]\nlimits:',
    '27:64: auditors[0].sourceCidrs[0] is 10.0.0.1/31, which begins before that address. Write 10.0.0.0/31 for the range, or 10.0.0.1 for one address.',
  ],
  line(
    'an address that is none',
    'sourceCidrs: [10.0.0]',
    '24:19: grants[0].sourceCidrs[0] cannot be "10.0.0". Write an IP address or a CIDR range, such as 10.0.0.0/8.',
  ),
  line(
    'no address',
    'sourceCidrs: []',
    '24:18: grants[0].sourceCidrs is empty. List at least one address or CIDR range, or leave the key out.',
  ),
  [
    'a service account without its namespace',
    SUBJECT,
    '    serviceAccount: api\n    claims: { a: b }\n',
    '21:5: grants[0] has serviceAccount without namespace. Add namespace: any namespace may have a service account of that name.',
  ],
  [
    'a namespace that is a pattern',
    SUBJECT,
    '    namespace: pay-*\n',
    '23:16: grants[0].namespace cannot be "pay-*". Write the exact name of the namespace; there are no patterns here.',
  ],
];

testMistakes(mistakes);

/** The valid configuration whose first issuer is a cluster; its grant has these conditions alone. */
function ofCluster(...conditions: readonly string[]): string {
  const text = withChange('  - name: corp', '    kubernetes: {}\n  - name: corp');
  return text.replace(SUBJECT, conditions.map((condition) => `    ${condition}\n`).join(''));
}

const AGREE = 'Remove one of the two, or make them agree.';
const WORKLOADS: readonly [what: string, conditions: readonly string[], ...problems: string[]][] = [
  ['a namespace', ['namespace: payments']],
  ['a namespace with a service account', ['namespace: payments', 'serviceAccount: api']],
  ['a subject of the namespace', ['namespace: payments', 'subject: system:serviceaccount:payments:api']],
  [
    'a subject that is the service account',
    ['namespace: payments', 'serviceAccount: api', 'subject: system:serviceaccount:payments:api'],
  ],
  ['a pattern of the namespace', ['namespace: payments', 'subjectGlob: "system:serviceaccount:payments:job-*"']],
  ['a pattern that the namespace matches', ['namespace: payments', 'subjectGlob: "system:serviceaccount:pay*:api"']],
  [
    'a pattern that the service account matches',
    ['namespace: payments', 'serviceAccount: job-1', 'subjectGlob: "system:serviceaccount:payments:job-*"'],
  ],
  [
    'a subject of another namespace',
    ['namespace: payments', 'subject: system:serviceaccount:orders:api'],
    `25:14: grants[0].subject is not of the namespace payments, so nobody is both. ${AGREE}`,
  ],
  [
    'a subject of a longer namespace',
    ['namespace: payments', 'subject: system:serviceaccount:payments-evil:api'],
    `25:14: grants[0].subject is not of the namespace payments, so nobody is both. ${AGREE}`,
  ],
  [
    'a subject that is no service account',
    ['namespace: payments', 'subject: jo'],
    `25:14: grants[0].subject is not of the namespace payments, so nobody is both. ${AGREE}`,
  ],
  [
    'a subject that is another service account',
    ['namespace: payments', 'serviceAccount: web', 'subject: system:serviceaccount:payments:api'],
    `26:14: grants[0].subject is not the service account web of payments, so nobody is both. ${AGREE}`,
  ],
  [
    'a pattern of another namespace',
    ['namespace: payments', 'subjectGlob: "system:serviceaccount:orders*:api"'],
    `25:18: grants[0].subjectGlob is not of the namespace payments, so nobody is both. ${AGREE}`,
  ],
  [
    'a pattern that the service account does not match',
    ['namespace: payments', 'serviceAccount: web', 'subjectGlob: "system:serviceaccount:payments:job-*"'],
    `26:18: grants[0].subjectGlob is not the service account web of payments, so nobody is both. ${AGREE}`,
  ],
];
for (const [what, conditions, ...problems] of WORKLOADS) {
  test(`${what} is ${problems.length === 0 ? 'accepted' : 'refused where it stands, with the mend'}`, () => {
    assert.deepEqual(problemsOf(ofCluster(...conditions)), problems);
  });
}

for (const [range, place] of [
  ['0.0.0.0/0', '24:19'],
  ['"::/0"', '24:19'],
] as const) {
  test(`the range ${range} is accepted with a warning`, () => {
    const text = withChange('    allow:', `    sourceCidrs: [${range}]\n    allow:`);
    assert.deepEqual(warningsOf(text), [
      `${place}: grants[0].sourceCidrs[0] is every address. Remove it, or write the ranges that the callers come from.`,
    ]);
  });
}

test('a mistake in many grants is told of each, and what is right of none', () => {
  const grant = (name: string, when: string) =>
    `  - { name: ${name}, issuer: corp, subject: jo, when: "${when}", sourceCidrs: [10.0.0.0/8], allow: [{ database: orders, users: [me] }] }\n`;
  const good = grant('b', "'a' in claims.groups") + grant('c', "'a' in claims.groups");
  assert.deepEqual(problemsOf(withChange('limits:', `${good}limits:`)), []);
  const bad = grant('d', "'a' in claim.groups") + grant('e', "'a' in claim.groups");
  assert.deepEqual(
    problemsOf(withChange('limits:', `${bad}limits:`)).map((problem) => problem.split(' ')[1]),
    ['grants[1].when:', 'grants[2].when:'],
  );
});

test('a mistake elsewhere hides no mistake in an expression, a range or a service account', () => {
  const text = ofCluster('namespace: payments', 'subject: jo', 'when: claims.a', 'sourceCidrs: [10.0.0.1/8]');
  assert.deepEqual(
    problemsOf(text.replace('port: 8080', 'prot: 8080')).map((problem) => problem.split(' ')[1]),
    ['server.prot', 'grants[0].subject', 'grants[0].when:', 'grants[0].sourceCidrs[0]'],
  );
});

test('what was checked is what decides', () => {
  const conditions = '    when: "\'dba\' in claims.groups"\n    sourceCidrs: [10.0.0.0/8]\n    allow:';
  const auditor = "auditors: [{ name: a, issuer: corp, subject: jo, when: has(claims.audit), sourceCidrs: ['::1'] }]\n";
  const { grants, auditors } = loadText(withChange('    allow:', conditions) + auditor);
  assert.equal(grants[0]?.when?.text, "'dba' in claims.groups");
  assert.equal(grants[0].sourceCidrs?.holds('10.9.9.9'), true);
  assert.equal(auditors[0]?.when?.text, 'has(claims.audit)');
  assert.equal(auditors[0].sourceCidrs?.holds('127.0.0.1'), false);
  assert.equal(loadText(VALID).grants[0]?.when, undefined);
});
