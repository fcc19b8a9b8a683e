import { Signer } from '@aws-sdk/rds-signer';
import type { IamDatabase } from './sandbox-database/check-iam-token.ts';
import { openSandboxSts } from './sandbox-sts/open-sandbox-sts.ts';
import type { PolicyDocument, PolicyStatement } from './sandbox-sts/policy.ts';
import { ACCESS_KEY_ID, ACCOUNT_ID, RDS_ENDPOINT, RESOURCE_ID, ROLE_ARN, SECRET_ACCESS_KEY } from './settings.ts';

/** AWS as the sandbox has it: one user, the service's, that may assume one role, which may log in to the database. */
export type SandboxAws = {
  /** Of STS. */
  readonly url: string;
  /** What the database needs to check tokens: the user's own keys may not connect at all. */
  readonly iam: IamDatabase;
  /** A token that whoever has the keys of a token's session could sign for another user. */
  forge(token: string, user: string): Promise<string>;
  close(): Promise<void>;
};

const USER_ARN = `arn:aws:iam::${ACCOUNT_ID}:user/rds-token-vendor`;

export async function openAws(): Promise<SandboxAws> {
  const sts = await openSandboxSts({
    now: Date.now,
    users: new Map([[ACCESS_KEY_ID, { secretAccessKey: SECRET_ACCESS_KEY, arn: USER_ARN }]]),
    roles: new Map([
      [
        ROLE_ARN,
        {
          trustPolicy: allowing('sts:AssumeRole', { Principal: { AWS: USER_ARN } }),
          permissionPolicy: allowing('rds-db:connect', {
            Resource: `arn:aws:rds-db:${RDS_ENDPOINT.region}:${ACCOUNT_ID}:dbuser:${RESOURCE_ID}/*`,
          }),
        },
      ],
    ]),
  });
  return {
    url: sts.url,
    iam: {
      ...RDS_ENDPOINT,
      accountId: ACCOUNT_ID,
      resourceId: RESOURCE_ID,
      secretAccessKeys: new Map(),
      session: sts.session,
    },
    async forge(token, username) {
      const [, id = ''] = /X-Amz-Credential=([A-Z0-9]+)%2F/.exec(token) ?? [];
      const credentials = sts.session(id);
      if (!credentials) throw new Error('no session of the role signed the token');
      const { host: hostname, port, region } = RDS_ENDPOINT;
      return new Signer({ hostname, port, region, username, credentials }).getAuthToken();
    },
    close: sts.close,
  };
}

function allowing(action: string, more: Pick<PolicyStatement, 'Principal' | 'Resource'>): PolicyDocument {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, ...more }] };
}
