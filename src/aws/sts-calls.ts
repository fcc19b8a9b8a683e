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
  /** Whether a failed call is tried again at once, as the SDK's adaptive mode does. */
  readonly patient: boolean;
};

/** A session and how much of its room the policy and the tags take, per cent; null where STS does not say. */
export type RoleSession = ResolvedCredentials & { readonly packedPolicySize: number | null };

/** Who AWS says the service is. */
export type CallerIdentity = { readonly account: string; readonly arn: string };

/** All tries of one call together, milliseconds. */
const CALL_LIMIT_MS = 4_500;
const PATIENT_ATTEMPTS = 3;

/**
 * Calls STS with AWS's own client, which finds `AWS_ENDPOINT_URL_STS`, FIPS and dual-stack settings by itself. It is loaded
 * when the first role is assumed.
 */
export function createRoleCalls(region: string): RoleCalls {
  let base: SigningCredentials | undefined;
  const clients = new Map<boolean, Promise<STSClient>>();

  function clientFor(patient: boolean): Promise<STSClient> {
    const known = clients.get(patient);
    if (known) return known;
    const made = openClient(region, patient, () => base);
    clients.set(patient, made);
    return made;
  }

  return {
    async assumeRole({ arn, externalId, durationSeconds, patient, ...ask }, signing) {
      const { AssumeRoleCommand } = await import('@aws-sdk/client-sts');
      base = signing;
      const client = await clientFor(patient);
      const answer = await client.send(
        new AssumeRoleCommand({
          RoleArn: arn,
          RoleSessionName: ask.sessionName,
          DurationSeconds: durationSeconds,
          ...(externalId === null ? {} : { ExternalId: externalId }),
          ...(ask.policy === null ? {} : { Policy: ask.policy }),
          ...(ask.sourceIdentity === null ? {} : { SourceIdentity: ask.sourceIdentity }),
          ...(ask.tags.length === 0 ? {} : { Tags: ask.tags.map(([Key, Value]) => ({ Key, Value })) }),
        }),
        { abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) },
      );
      return sessionOf(answer, ask.sessionName);
    },
    async assumeRoleWithWebIdentity({ arn, jwt, subject, durationSeconds, patient, ...ask }) {
      const { AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
      const client = await clientFor(patient);
      const answer = await client.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: arn,
          RoleSessionName: ask.sessionName,
          WebIdentityToken: jwt,
          DurationSeconds: durationSeconds,
          ...(ask.policy === null ? {} : { Policy: ask.policy }),
        }),
        { abortSignal: AbortSignal.timeout(CALL_LIMIT_MS) },
      );
      // STS read the same JWT; if it saw somebody else in it, the session is not this caller's.
      const { SubjectFromWebIdentityToken: seen } = answer;
      if (seen !== undefined && seen !== subject) throw new StsError('odd_answer', null, undefined);
      return sessionOf(answer, ask.sessionName);
    },
  };
}

/** GetCallerIdentity: needs no permission. */
export async function askCallerIdentity(region: string | undefined, own: SigningCredentials): Promise<CallerIdentity> {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = await openClient(region, true, () => own);
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
  base: () => SigningCredentials | undefined,
): Promise<STSClient> {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const config: STSClientConfig = {
    ...(region === undefined ? {} : { region }),
    ...(patient ? { retryMode: 'adaptive', maxAttempts: PATIENT_ATTEMPTS } : { maxAttempts: 1 }),
    credentials: async () => {
      const given = base();
      // Unsigned calls never ask.
      if (given === undefined) throw new Error('no credentials to sign with');
      return asSdkCredentials(given);
    },
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

function sessionOf(answer: SessionAnswer, sessionName: string): RoleSession {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  const roleArn = answer.AssumedRoleUser?.Arn;
  const expiresAt = Expiration?.getTime() ?? Number.NaN;
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !roleArn?.endsWith(`/${sessionName}`)) {
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
