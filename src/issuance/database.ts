/** The database engines whose RDS variants support IAM authentication (AWS: "IAM database authentication"). */
export type Engine = 'postgres' | 'mysql' | 'mariadb';

/** Where one endpoint is reached, and the name its tokens are signed for. */
export type Endpoint = {
  readonly name: string;
  /** The RDS endpoint the token is signed for, lower case. Never a CNAME or a tunnel: RDS checks its own name. */
  readonly host: string;
  readonly port: number;
  /** Where clients connect: `host` and `port` unless the configuration says otherwise. */
  readonly connectHost: string;
  readonly connectPort: number;
};

/** One catalog entry. */
export type Database = {
  readonly name: string;
  readonly engine: Engine;
  readonly region: string;
  readonly accountId: string;
  readonly resourceId: string;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** The database inside the server that clients open. */
  readonly databaseName: string;
  /** The CA bundle's id, as in `GET /v1/ca-bundles/{id}`. */
  readonly caBundleId: string;
};

/** The AWS partition of a region: its ARNs and host names differ (AWS General Reference, "ARNs"). */
export function partitionOf(region: string): 'aws' | 'aws-us-gov' | 'aws-cn' {
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('cn-')) return 'aws-cn';
  return 'aws';
}

/** `arn:<partition>:rds-db:REGION:ACCOUNT:dbuser:RESOURCE/USER`, the resource of an `rds-db:connect` permission. */
export function databaseUserArn(database: Database, user: string): string {
  const { region, accountId, resourceId } = database;
  return `arn:${partitionOf(region)}:rds-db:${region}:${accountId}:dbuser:${resourceId}/${user}`;
}
