/*
 * The issuers that give everybody a token, one entry each: which conditions of a grant limit it to somebody there. Read in
 * each vendor's documentation (docs/issuers.md names the pages).
 */

/**
 * How far a grant is limited: to an id that is never given to another, to a name that may be, or not at all. `open` is a
 * pattern whose owner anybody could be.
 */
export type Limit = 'id' | 'name' | 'open' | 'nobody';

export type SharedIssuer = {
  readonly called: string;
  /** The hosts of its issuer URLs; whatever path follows. */
  readonly hosts: readonly string[];
  /** Completes "is not limited to". */
  readonly whom: string;
  /** How far a `subject` limits, or a `subjectGlob`, in which a `*` is a pattern. */
  subject(subject: string, isGlob: boolean): Limit;
  /** Claims that limit by id, and by name. */
  readonly ids: readonly string[];
  readonly names: readonly string[];
  /** Its ids are texts of digits: a number in the configuration would never match one. */
  readonly digits: boolean;
  readonly mend: string;
};

const github: SharedIssuer = {
  called: 'GitHub Actions',
  hosts: ['token.actions.githubusercontent.com'],
  whom: 'an owner',
  // Each repository chooses what its sub is made of, so only the first part tells: all else may be its own choice.
  subject(subject, isGlob) {
    const [key = '', value = ''] = subject.split(':');
    if (key === 'repo') {
      const [owner = '', repository = ''] = value.split('/');
      // repo:octo-org@123456/octo-repo@456789: names cannot hold an @.
      if (/@[0-9]+$/.test(owner)) return 'id';
      const limit = fixed(owner, isGlob, 'name');
      return limit === 'name' && /@[0-9]+$/.test(repository) ? 'id' : limit;
    }
    if (['repository_id', 'repository_owner_id', 'enterprise_id'].includes(key)) return fixed(value, isGlob, 'id');
    if (['repository_owner', 'enterprise'].includes(key)) return fixed(value, isGlob, 'name');
    return 'nobody';
  },
  ids: ['repository_id', 'repository_owner_id', 'enterprise_id'],
  names: ['repository', 'repository_owner', 'enterprise'],
  digits: true,
  mend: 'Add repository_id or repository_owner_id to claims.',
};

const gitlab: SharedIssuer = {
  called: 'gitlab.com',
  hosts: ['gitlab.com'],
  whom: 'a project or a group',
  subject(subject, isGlob) {
    const [key, path = ''] = subject.split(':');
    if (key === 'project_path') return fixed(path.split('/')[0] ?? '', isGlob, 'name');
    // A person that has signed in: the account's number.
    return /^[0-9]+$/.test(subject) ? 'id' : 'nobody';
  },
  ids: ['project_id', 'namespace_id'],
  names: ['project_path', 'namespace_path'],
  digits: true,
  mend: 'Add project_id or namespace_id to claims.',
};

const google: SharedIssuer = {
  called: 'Google',
  hosts: ['accounts.google.com'],
  whom: 'an account or an organization',
  subject: (_subject, isGlob) => (isGlob ? 'nobody' : 'id'),
  ids: ['hd'],
  names: ['email'],
  digits: false,
  mend: 'Add hd, the organization, to claims, or write the exact subject.',
};

/** The tenant of personal Microsoft accounts; all others are an organization's own. */
export const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';

export const personalMicrosoft: SharedIssuer = {
  called: 'personal Microsoft accounts',
  hosts: [],
  whom: 'an account',
  subject: (_subject, isGlob) => (isGlob ? 'nobody' : 'id'),
  ids: ['oid'],
  names: [],
  digits: false,
  mend: 'Write the exact subject, or add oid to claims.',
};

const buildkite: SharedIssuer = {
  called: 'Buildkite',
  hosts: ['agent.buildkite.com'],
  whom: 'an organization',
  subject: ofOrganization,
  ids: ['organization_id', 'pipeline_id'],
  names: ['organization_slug'],
  digits: false,
  mend: 'Add organization_id or pipeline_id to claims.',
};

const hcpTerraform: SharedIssuer = {
  called: 'HCP Terraform',
  hosts: ['app.terraform.io'],
  whom: 'an organization',
  subject: ofOrganization,
  ids: ['terraform_organization_id', 'terraform_project_id', 'terraform_workspace_id'],
  names: ['terraform_organization_name'],
  digits: false,
  mend: 'Add terraform_organization_id or terraform_workspace_id to claims.',
};

export const SHARED_ISSUERS: readonly SharedIssuer[] = [github, gitlab, google, buildkite, hcpTerraform];

/** `organization:acme-inc:pipeline:…` and `organization:acme-inc:project:…` */
function ofOrganization(subject: string, isGlob: boolean): Limit {
  const [key, organization = ''] = subject.split(':');
  return key === 'organization' ? fixed(organization, isGlob, 'name') : 'nobody';
}

function fixed(part: string, isGlob: boolean, limit: Limit): Limit {
  if (isGlob && part.includes('*')) return 'open';
  return part === '' ? 'nobody' : limit;
}
