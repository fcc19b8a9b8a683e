import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts';
import { SECRET_KEY } from './running-service.ts';

/** The keys of a session of a role, in the names of AWS's own documents. */
export type AssumedSession = {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  readonly Expiration: Date;
};

export type SessionInput = Pick<AssumeRoleCommandInput, 'Tags' | 'TransitiveTagKeys'>;

/** A session that AKIAIOSFODNN7EXAMPLE assumes at the STS of `AWS_ENDPOINT_URL_STS`, or of `endpoint`. */
export async function assumeSession(
  roleArn: string,
  endpoint?: string,
  more: SessionInput = {},
): Promise<AssumedSession> {
  const client = new STSClient({
    region: 'us-west-2',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET_KEY },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const { Credentials } = await client.send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'pod', ...more }),
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration = new Date(0) } = Credentials ?? {};
  return { AccessKeyId, SecretAccessKey, SessionToken, Expiration };
}
