/** STS takes session policies of so many characters at most (AssumeRole, "Policy"). */
export const MOST_POLICY_CHARACTERS = 2048;

/**
 * The session policy that leaves exactly one database user: `rds-db:connect` on one ARN. Without spaces, since AWS counts
 * every character and packs the policy into each token.
 *
 * @param databaseUserArn as `databaseUserArn` gives it, the user's name as it is
 */
export function sessionPolicy(databaseUserArn: string): string {
  const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: literalResource(databaseUserArn) };
  return asciiJson({ Version: '2012-10-17', Statement: [statement] });
}

/**
 * `*` and `?` are wildcards in a resource and `${…}` is a policy variable, whatever a database user is called. IAM has
 * `${*}`, `${?}` and `${$}` for the characters themselves (IAM User Guide, "Policy variables", special characters).
 */
export function literalResource(arn: string): string {
  return arn.replace(/[*?$]/g, '${$&}');
}

/** A session policy may hold U+0020 to U+00FF only; JSON can write every other character so. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
