import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials,
  GetCallerIdentityCommand,
  type GetCallerIdentityCommandOutput,
  STSClient,
  STSServiceException,
} from '@aws-sdk/client-sts';
import { openSandboxSts, type SandboxSts, type SandboxStsOptions } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import type { PolicyDocument, PolicyStatement } from '../../demo/sandbox-sts/policy.ts';
import type { SandboxRole } from '../../demo/sandbox-sts/session.ts';

export const USER = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  arn: 'arn:aws:iam::111122223333:user/service',
};
export const ROLE = 'arn:aws:iam::111122223333:role/a/path/Connect';
export const SECOND_ROLE = 'arn:aws:iam::444455556666:role/Second';

export type Keys = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };

export function policy(...Statement: PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement };
}

/** A trust policy of one statement. By default USER alone may do everything. */
export function trust(change: Partial<PolicyStatement> = {}): PolicyDocument {
  return policy({ Effect: 'Allow', Principal: { AWS: USER.arn }, Action: 'sts:*', ...change });
}

export const ANYTHING = policy({ Effect: 'Allow', Action: '*', Resource: '*' });

export type Sandbox = {
  readonly sts: SandboxSts;
  readonly roles: Map<string, SandboxRole>;
  /** Moves the clock of the sandbox, and of the clients made after it. */
  advance(ms: number): void;
  client(keys?: Keys): STSClient;
  assume(input?: Partial<AssumeRoleCommandInput>, keys?: Keys): Promise<Assumed>;
  whoAmI(keys: Keys): Promise<GetCallerIdentityCommandOutput>;
};

export type Assumed = {
  readonly keys: Required<Keys>;
  readonly credentials: Credentials;
  readonly arn: string | undefined;
  readonly id: string | undefined;
  readonly packed: number | undefined;
  readonly sourceIdentity: string | undefined;
};

/** A sandbox that knows USER, and ROLE that trusts it. It closes with the test. */
export async function openSandbox(t: TestContext, options: Partial<SandboxStsOptions> = {}): Promise<Sandbox> {
  let ahead = 0;
  const roles = new Map<string, SandboxRole>([[ROLE, { trustPolicy: trust(), permissionPolicy: ANYTHING }]]);
  const users = new Map([[USER.accessKeyId, USER]]);
  const sts = await openSandboxSts({ now: () => Date.now() + ahead, users, roles, ...options });
  const clients: STSClient[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await sts.close();
  });

  function client(credentials: Keys = USER): STSClient {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const made = new STSClient({
      endpoint: sts.url,
      region: 'us-west-2',
      maxAttempts: 1,
      systemClockOffset: ahead,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    });
    clients.push(made);
    return made;
  }

  return {
    sts,
    roles,
    client,
    advance(ms) {
      ahead += ms;
    },
    async assume(input, keys) {
      const command = new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'session', ...input });
      const answer = await client(keys).send(command);
      const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials ?? {};
      assert.ok(answer.Credentials && AccessKeyId && SecretAccessKey && SessionToken);
      return {
        keys: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
        credentials: answer.Credentials,
        arn: answer.AssumedRoleUser?.Arn,
        id: answer.AssumedRoleUser?.AssumedRoleId,
        packed: answer.PackedPolicySize,
        sourceIdentity: answer.SourceIdentity,
      };
    },
    whoAmI: (keys) => client(keys).send(new GetCallerIdentityCommand({})),
  };
}

/** Asserts that STS refuses: the HTTP status, the name the SDK gives AWS's code, and the message, whole or a part. */
export async function refused(
  asked: Promise<unknown>,
  status: number,
  name: string,
  message: RegExp | string = /./,
): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof STSServiceException, String(error));
    assert.deepEqual([error.$metadata.httpStatusCode, error.name], [status, name], error.message);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    assert.match(error.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
    return true;
  });
}
