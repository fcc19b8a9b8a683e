import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, warningsOf, withChange } from '../support/config-file.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';

/** The valid configuration with another issuer, and the lines of its grant that say for whom it is. */
function grantOf(issuer: string, ...conditions: readonly string[]): string {
  const lines = conditions.map((condition) => `    ${condition}\n`).join('');
  const text = withChange('https://idp.example', issuer);
  return text.replace('    subject: system:serviceaccount:payments:api\n', lines);
}

/** The same for who may read the audit. */
function auditorOf(issuer: string, condition: string): string {
  return `${withChange('https://login.corp.example', issuer)}auditors:\n  - { name: security, issuer: corp, ${condition} }\n`;
}

const OPEN = '23:18: grants[0].subjectGlob leaves the owner open, and anybody can have a token of';
const AS_IT_IS = 'Write the owner as it is; a * may stand behind it.';
const BY_NAME = 'grants[0] is limited by a name only, which somebody else may take when it becomes free.';
const ADD_ID = 'Add repository_id or repository_owner_id to claims.';
const github = {
  open: `${OPEN} GitHub Actions. ${AS_IT_IS}`,
  nobody: `21:5: grants[0] is not limited to an owner, and anybody can have a token of GitHub Actions. ${ADD_ID}`,
  name: `21:5: ${BY_NAME} ${ADD_ID}`,
};
const gitlab = {
  open: `${OPEN} gitlab.com. ${AS_IT_IS}`,
  nobody:
    '21:5: grants[0] is not limited to a project or a group, and anybody can have a token of gitlab.com. Add project_id or namespace_id to claims.',
  name: `21:5: ${BY_NAME} Add project_id or namespace_id to claims.`,
};
const google = {
  nobody:
    '21:5: grants[0] is not limited to an account or an organization, and anybody can have a token of Google. Add hd, the organization, to claims, or write the exact subject.',
  name: `21:5: ${BY_NAME} Add hd, the organization, to claims, or write the exact subject.`,
};

const ERRORS: readonly [what: string, text: string, ...problems: string[]][] = [
  ...[
    'repo:*/orders:ref:refs/heads/main',
    'repo:*/*:environment:production',
    'repo:octo*/orders:environment:production',
    'repo:*-org/orders:pull_request',
    'repo:octo-org@*/orders@456789:environment:production',
    'repo:octo-org@12*/orders:environment:production',
    'repo:*@*/orders@456789:environment:production',
    'repository_owner:octo*:environment:production',
    'repository_owner_id:12*',
    'repository_id:*7:ref:refs/heads/main',
    'enterprise:octo*',
  ].map((glob): [string, string, string] => [
    `GitHub: the pattern ${glob}`,
    grantOf(GITHUB, `subjectGlob: "${glob}"`),
    github.open,
  ]),
  [
    'GitHub: a wildcard owner beside a pinned one',
    grantOf(GITHUB, 'subjectGlob: "repo:*/orders:*"', 'claims: { repository_owner_id: "123456" }'),
    github.open,
  ],
  [
    'GitHub of one enterprise: a wildcard owner',
    grantOf(`${GITHUB}/octo-inc`, 'subjectGlob: "repo:*/orders:environment:production"'),
    github.open,
  ],
  ...[
    'subjectGlob: "*:octo-org/orders:environment:production"',
    'subjectGlob: "re*:octo-org/orders:environment:production"',
    'subjectGlob: "environment:production:repo:octo-org/orders"',
    'subject: environment:production',
    'subject: job_workflow_ref:octo-org/deploy/.github/workflows/deploy.yml@refs/heads/main',
    'subject: "repo:"',
    'subject: repo:/orders:environment:production',
    'subject: REPO:octo-org/orders:environment:production',
    'claims: { environment: production }',
    'claims: { ref: refs/heads/main, event_name: push }',
    'claims: { actor: octocat, repository_visibility: private }',
    'claims: { job_workflow_ref: octo-org/deploy/.github/workflows/deploy.yml@refs/heads/main }',
    'claims: { Repository_Owner_ID: "123456" }',
  ].map((condition): [string, string, string] => [`GitHub: ${condition}`, grantOf(GITHUB, condition), github.nobody]),
  [
    'GitHub: a condition in CEL alone beside a claim that limits nothing',
    grantOf(GITHUB, 'claims: { ref: refs/heads/main }', `when: "claims.repository_owner_id == '123456'"`),
    github.nobody,
  ],
  [
    'GitHub: an id that is a number',
    grantOf(GITHUB, 'claims: { repository_id: 456789 }'),
    '23:30: grants[0].claims.repository_id is a number, and GitHub Actions writes its ids as text. Put it in quotes: "456789".',
  ],
  [
    'GitHub: an auditor of any owner',
    auditorOf(GITHUB, 'subjectGlob: "repo:*/audit:environment:production"'),
    '30:50: auditors[0].subjectGlob leaves the owner open, and anybody can have a token of GitHub Actions. Write the owner as it is; a * may stand behind it.',
  ],
  [
    'GitHub: an auditor that is not limited',
    auditorOf(GITHUB, 'claims: { environment: production }'),
    `30:5: auditors[0] is not limited to an owner, and anybody can have a token of GitHub Actions. ${ADD_ID}`,
  ],
  ...['project_path:*/orders:ref_type:branch:ref:main', 'project_path:my-*/orders:ref_type:branch:ref:main'].map(
    (glob): [string, string, string] => [
      `GitLab: the pattern ${glob}`,
      grantOf('https://gitlab.com', `subjectGlob: "${glob}"`),
      gitlab.open,
    ],
  ),
  ...[
    'claims: { ref: main, ref_protected: "true" }',
    'claims: { user_login: jo }',
    'claims: { groups_direct: my-group }',
    'subjectGlob: "12*"',
    'subject: ref:main',
  ].map((condition): [string, string, string] => [
    `GitLab: ${condition}`,
    grantOf('https://gitlab.com', condition),
    gitlab.nobody,
  ]),
  [
    'GitLab: an id that is a number',
    grantOf('https://gitlab.com', 'claims: { project_id: 20 }'),
    '23:27: grants[0].claims.project_id is a number, and gitlab.com writes its ids as text. Put it in quotes: "20".',
  ],
  ...[
    'claims: { email: jo@corp.example }',
    'claims: { email: jo@corp.example, email_verified: false }',
    'claims: { email_verified: true }',
    'claims: { azp: 407408718192.apps.googleusercontent.com }',
    'subjectGlob: "1*"',
  ].map((condition): [string, string, string] => [
    `Google: ${condition}`,
    grantOf('https://accounts.google.com', condition),
    google.nobody,
  ]),
  ...['common', 'organizations', 'consumers', 'corp.onmicrosoft.com', '%7Btenantid%7D'].map(
    (tenant): [string, string, string] => [
      `Entra ID: the tenant ${tenant}`,
      grantOf(`https://login.microsoftonline.com/${tenant}/v2.0`, 'claims: { oid: x }'),
      "5:13: issuers[0].issuer names no tenant by its id, so no token has this iss. Write the tenant's id: https://login.microsoftonline.com/TENANT-ID/v2.0.",
    ],
  ),
  [
    'personal Microsoft accounts: a role',
    grantOf('https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0', 'claims: { roles: dba }'),
    '21:5: grants[0] is not limited to an account, and anybody can have a token of personal Microsoft accounts. Write the exact subject, or add oid to claims.',
  ],
  [
    'Buildkite: any organization',
    grantOf(
      'https://agent.buildkite.com',
      'subjectGlob: "organization:*:pipeline:orders:ref:refs/heads/main:commit:*:step:deploy"',
    ),
    `${OPEN} Buildkite. ${AS_IT_IS}`,
  ],
  [
    'Buildkite: a branch of anybody',
    grantOf('https://agent.buildkite.com', 'claims: { build_branch: main }'),
    '21:5: grants[0] is not limited to an organization, and anybody can have a token of Buildkite. Add organization_id or pipeline_id to claims.',
  ],
  [
    'HCP Terraform: any organization',
    grantOf('https://app.terraform.io', 'subjectGlob: "organization:*:project:orders:workspace:prod:run_phase:apply"'),
    `${OPEN} HCP Terraform. ${AS_IT_IS}`,
  ],
  [
    'HCP Terraform: a workspace name of anybody',
    grantOf('https://app.terraform.io', 'claims: { terraform_workspace_name: prod }'),
    '21:5: grants[0] is not limited to an organization, and anybody can have a token of HCP Terraform. Add terraform_organization_id or terraform_workspace_id to claims.',
  ],
];
for (const [what, text, ...problems] of ERRORS) {
  test(`${what} is refused where it stands, with the mend`, () => {
    assert.deepEqual(problemsOf(text), problems);
  });
}

const WARNINGS: readonly [what: string, text: string, ...warnings: string[]][] = [
  ...[
    'subject: repo:octo-org/orders:ref:refs/heads/main',
    'subjectGlob: "repo:octo-org/*:environment:production"',
    'subjectGlob: "repo:octo-org/orders:*"',
    'subject: repository_owner:octo-org',
    'claims: { repository: octo-org/orders }',
    'claims: { repository_owner: octo-org, ref: refs/heads/main }',
    'claims: { enterprise: octo-inc }',
  ].map((condition): [string, string, string] => [`GitHub: ${condition}`, grantOf(GITHUB, condition), github.name]),
  ...[
    'subject: project_path:my-group/orders:ref_type:branch:ref:main',
    'subjectGlob: "project_path:my-group/*:ref_type:branch:ref:main"',
    'claims: { project_path: my-group/orders }',
    'claims: { namespace_path: my-group }',
  ].map((condition): [string, string, string] => [
    `GitLab: ${condition}`,
    grantOf('https://gitlab.com', condition),
    gitlab.name,
  ]),
  [
    'Google: an address',
    grantOf('https://accounts.google.com', 'claims: { email: jo@corp.example, email_verified: true }'),
    google.name,
  ],
  [
    'GitHub: an auditor by name',
    auditorOf(GITHUB, 'claims: { repository: octo-org/audit }'),
    `30:5: auditors[0] is limited by a name only, which somebody else may take when it becomes free. ${ADD_ID}`,
  ],
];
for (const [what, text, ...warnings] of WARNINGS) {
  test(`${what} is accepted with a warning`, () => {
    assert.deepEqual(warningsOf(text), warnings);
  });
}

const GOOD: readonly [what: string, text: string][] = [
  ...[
    'subject: repo:octo-org@123456/orders@456789:ref:refs/heads/main',
    'subject: repo:octo-org/orders@456789:ref:refs/heads/main',
    'subjectGlob: "repo:octo-org@123456/*:environment:production"',
    'subjectGlob: "repo:*@123456/*@456789:ref:refs/heads/main"',
    'subject: repository_id:456789',
    'subjectGlob: "repository_owner_id:123456:environment:*"',
    'claims: { repository_id: "456789" }',
    'claims: { repository_owner_id: "123456", environment: production }',
    'claims: { enterprise_id: "1" }',
  ].map((condition): [string, string] => [`GitHub: ${condition}`, grantOf(GITHUB, condition)]),
  [
    'GitHub: a name beside an id',
    grantOf(GITHUB, 'subjectGlob: "repo:octo-org/orders:*"', 'claims: { repository_id: "456789" }'),
  ],
  [
    'GitHub: a deny for all',
    `${grantOf(GITHUB, 'claims: { event_name: pull_request }').split('    allow:')[0]}    deny: [{ database: "*" }]\n`,
  ],
  ['GitLab: a project', grantOf('https://gitlab.com', 'claims: { project_id: "20", ref_protected: "true" }')],
  ['GitLab: a group', grantOf('https://gitlab.com', 'claims: { namespace_id: "72" }')],
  ['GitLab: a person', grantOf('https://gitlab.com', 'subject: "12345"')],
  ['Google: an account', grantOf('https://accounts.google.com', 'subject: "10769150350006150715113082367"')],
  ['Google: an organization', grantOf('https://accounts.google.com', 'claims: { hd: corp.example }')],
  [
    'Entra ID: a tenant',
    grantOf('https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0', 'claims: { roles: dba }'),
  ],
  [
    'personal Microsoft accounts: one',
    grantOf('https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0', 'claims: { oid: x }'),
  ],
  [
    'Buildkite: an organization',
    grantOf('https://agent.buildkite.com', 'claims: { organization_id: 0184990a-477b-4fa8-9968-496074483cee }'),
  ],
  [
    'HCP Terraform: a workspace',
    grantOf('https://app.terraform.io', 'claims: { terraform_workspace_id: ws-mbsd5E3Ktt5Rg2Xm }'),
  ],
  [
    'an own GitLab: a pattern',
    grantOf('https://gitlab.corp.example', 'subjectGlob: "project_path:*/orders:ref_type:branch:ref:main"'),
  ],
  [
    'an own GitHub: a pattern',
    grantOf('https://github.corp.example/_services/token', 'subjectGlob: "repo:*/orders:*"'),
  ],
  [
    "a host that ends like GitHub's",
    grantOf('https://token.actions.githubusercontent.com.corp.example', 'claims: { ref: x }'),
  ],
];
for (const [what, text] of GOOD) {
  test(`${what} is accepted without a warning`, () => {
    assert.deepEqual(problemsOf(text), []);
    assert.deepEqual(warningsOf(text), []);
  });
}

test('a grant that the schema refuses is not refused again for its issuer', () => {
  for (const [conditions, count] of [
    [['subject: [a]'], 1],
    [['subject: a', 'subjectGlob: "b:*"'], 1],
    [[], 1],
  ] as const) {
    assert.equal(problemsOf(grantOf(GITHUB, ...conditions)).length, count, conditions.join());
  }
});

test('a mistake elsewhere hides none of a shared issuer', () => {
  const text = grantOf(GITHUB, 'claims: { environment: production }').replace('port: 8080', 'port: eighty');
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(' ')[1]),
    ['server.port', 'grants[0]'],
  );
});
