import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import type { ResolvedCredentials, SigningCredentials } from '../issuance/auth-token.ts';
import { asSdkCredentials } from './sdk-credentials.ts';
import type { SessionRequest } from './session-request.ts';
import { StsError } from './sts-failure.ts';

/** What is asked of STS for one role in one region. */
export type RoleCalls = {
  /** AssumeRole, signed with `base`. */
  assumeRole(ask: SessionAsk & { readonly externalId: string | null }, base: SigningCredentials): Promise<RoleSession>;
  /** AssumeRoleWithWebIdentity, unsigned: the JWT is the proof. */
  assumeRoleWithWebIdentity(ask: SessionAsk & { readonly jwt: string; readonly subject: string }): Promise<RoleSession>;
};

type SessionAsk = SessionRequest & {
  readonly arn: string;
  readonly durationSeconds: number;
  /** Whether a failed call is tried again at once, as the SDK's standard mode does. */
  readonly patient: boolean;
};

/** A session and how much of its room the policy and the tags take, per cent; null where STS does not say. */
export type RoleSession = ResolvedCredentials & { readonly packedPolicySize: number | null };

/** Who AWS says the service is. */
export type CallerIdentity = { readonly account: string; readonly arn: string };

/** All tries of one call together, milliseconds. */
const CALL_LIMIT_MS = 4_500;
/**
 * More would not fit in the time that a caller waits. Not the adaptive mode: its own rate limit outlasts the role's pause,
 * and holds calls back, with nothing sent, while STS is well again.
 */
const PATIENT_ATTEMPTS = 2;

/** Clients that are kept: for calls that may be tried again and for those that may not, of the latest keys. */
const MOST_CLIENTS = 4;

/**
 * Calls STS with AWS's own client, which finds `AWS_ENDPOINT_URL_STS`, FIPS and dual-stack settings by itself. It is loaded
 * when the first role is assumed.
 */
export function createRoleCalls(region: string): RoleCalls {
  const clients = new Map<string, Promise<STSClient>>();

  /** One client for each key: a client remembers the first credentials that it got, and calls of several are under way. */
  function clientFor(patient: boolean, base: SigningCredentials | null): Promise<STSClient> {
    const key = `${patient} ${base?.accessKeyId}`;
    const client = clients.get(key) ?? openClient(region, patient, base);
    clients.delete(key);
    clients.set(key, client);
    if (clients.size > MOST_CLIENTS) clients.delete([...clients.keys()][0] ?? '');
    return client;
  }

  return {
    async assumeRole({ externalId, tags, sourceIdentity, ...ask }, base) {
      const { AssumeRoleCommand } = await import('@aws-sdk/client-sts');
      const client = await clientFor(ask.patient, base);
      const command = new AssumeRoleCommand({
        ...sessionInput(ask),
        ...(externalId === null ? {} : { ExternalId: externalId }),
        ...(sourceIdentity === null ? {} : { SourceIdentity: sourceIdentity }),
        ...(tags.length === 0 ? {} : { Tags: tags.map(([Key, Value]) => ({ Key, Value })) }),
      });
      return sessionOf(await client.send(command, { abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) }), ask);
    },
    async assumeRoleWithWebIdentity({ jwt, subject, ...ask }) {
      const { AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
      const client = await clientFor(ask.patient, null);
      const command = new AssumeRoleWithWebIdentityCommand({ ...sessionInput(ask), WebIdentityToken: jwt });
      const answer = await client.send(command, { abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) });
      // STS read the same JWT; if it saw somebody else in it, the session is not this caller's.
      const { SubjectFromWebIdentityToken: seen } = answer;
      if (seen !== undefined && seen !== subject) throw new StsError('odd_answer', null, undefined);
      return sessionOf(answer, ask);
    },
  };
}

function sessionInput({ arn, sessionName, durationSeconds, policy }: Omit<SessionAsk, 'tags' | 'sourceIdentity'>) {
  return {
    RoleArn: arn,
    RoleSessionName: sessionName,
    DurationSeconds: durationSeconds,
    ...(policy === null ? {} : { Policy: policy }),
  };
}

/** GetCallerIdentity: needs no permission. */
export async function askCallerIdentity(region: string | undefined, own: SigningCredentials): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = await openClient(region, true, own);
  try {
    const { Account: account, Arn: arn } = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: AbortSignal.timeout(CALL_LIMIT_MS),
    });
    if (account === undefined || arn === undefined) throw new StsError('odd_answer', null, undefined);
    return { account, arn };
  } finally {
    client.destroy();
  }
}

async function openClient(
  region: string | undefined,
  patient: boolean,
  /** null for calls that are not signed. */
  base: SigningCredentials | null,
): Promise<STSClient> {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const config: STSClientConfig = {
    ...(region === undefined ? {} : { region }),
    ...(patient ? { retryMode: 'standard', maxAttempts: PATIENT_ATTEMPTS } : { maxAttempts: 1 }),
    ...(base === null ? {} : { credentials: asSdkCredentials(base) }),
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
    // It would write to the console.
    logger: SILENT,
  };
  return new STSClient(config);
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

type SessionAnswer = {
  readonly Credentials?:
    | {
        readonly AccessKeyId: string | undefined;
        readonly SecretAccessKey: string | undefined;
        readonly SessionToken: string | undefined;
        readonly Expiration: Date | undefined;
      }
    | undefined;
  readonly AssumedRoleUser?: { readonly Arn: string | undefined } | undefined;
  readonly PackedPolicySize?: number | undefined;
};

function sessionOf(answer: SessionAnswer, { arn, sessionName }: Pick<SessionAsk, 'arn' | 'sessionName'>): RoleSession {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  const roleArn = answer.AssumedRoleUser?.Arn;
  const expiresAt = Expiration?.getTime() ?? Number.NaN;
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || roleArn !== assumedRoleArn(arn, sessionName)) {
    throw new StsError('odd_answer', null, undefined);
  }
  if (Number.isNaN(expiresAt)) throw new StsError('odd_answer', null, undefined);
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAt,
    roleArn,
    packedPolicySize: answer.PackedPolicySize ?? null,
  };
}

/** A role's path is no part of its sessions' ARNs (IAM User Guide, "IAM identifiers"). */
function assumedRoleArn(roleArn: string, sessionName: string): string {
  // The path, but not the name, may have a colon.
  const [, partition, , , account] = roleArn.split(':');
  return `arn:${partition}:sts::${account}:assumed-role/${roleArn.split('/').at(-1)}/${sessionName}`;
}
