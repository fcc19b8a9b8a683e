export type Arn = { readonly partition: string; readonly account: string; readonly resource: string };

/** Splits an IAM or STS ARN: neither has a region. */
export function parseArn(text: string): Arn | undefined {
  const [, partition, account, resource] = /^arn:(aws|aws-cn|aws-us-gov):(?:iam|sts)::(\d{12}):(.+)$/.exec(text) ?? [];
  if (partition === undefined || account === undefined || resource === undefined) return undefined;
  return { partition, account, resource };
}

/** As `parseArn`, of an ARN that the sandbox itself was given or has made. */
export function mustParseArn(text: string): Arn {
  const arn = parseArn(text);
  if (!arn) throw new Error(`not an ARN of IAM or STS: ${text}`);
  return arn;
}

/** `arn:aws:iam::111122223333:role/a/path/Name` as session `s` is `arn:aws:sts::111122223333:assumed-role/Name/s`. */
export function assumedRoleArn(roleArn: string, sessionName: string): string {
  const { partition, account, resource } = mustParseArn(roleArn);
  return `arn:${partition}:sts::${account}:assumed-role/${resource.split('/').at(-1)}/${sessionName}`;
}
