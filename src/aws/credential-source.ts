import type { SigningCredentials } from '../issuance/auth-token.ts';
import { asFault, Fault } from '../issuance/fault.ts';

/** The service's AWS credentials, kept fresh. */
export type CredentialSource = {
  /** Credentials that live at least another minute; throws a `Fault` when there are none. */
  resolve(): Promise<SigningCredentials>;
};

export type CredentialSourceOptions = {
  /** Asks the provider chain afresh; it must not answer from a cache of its own. */
  readonly load: () => Promise<SigningCredentials>;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
};

/** A token lives as long as its credentials at most, so that they are renewed while they cover its 900 s. */
const RENEW_MS = 20 * 60_000;
const TOKEN_LIFE_MS = 900_000;
/** Less than this is no use to a caller that has still to connect. */
const MIN_LIFE_MS = 60_000;
/** Sources such as IMDS hand out the same credentials until shortly before their end: ask, but not at every request. */
const RETRY_MS = 10_000;
const LOAD_TIMEOUT_MS = 5_000;

/**
 * Keeps credentials in a closure: one load at a time, renewal before tokens would be cut short, the old ones kept while
 * they live. rds-signer signs silently with expired credentials (aws-sdk-js-v3#8047), so their end is watched here.
 */
export function createCredentialSource({ load, now, onFailure }: CredentialSourceOptions): CredentialSource {
  let current: SigningCredentials | undefined;
  let underWay: Promise<void> | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: Fault | undefined;

  function renew(): Promise<void> {
    attemptedAt = now();
    underWay ??= attempt().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  async function attempt(): Promise<void> {
    try {
      const loaded = await withTimeout(load());
      if (current === undefined || life(loaded) >= life(current)) current = loaded;
      failure = undefined;
    } catch (error) {
      failure = asCredentialsFault(error);
      onFailure(failure);
    }
  }

  function life(credentials: SigningCredentials): number {
    return credentials.expiresAt === null ? Number.POSITIVE_INFINITY : credentials.expiresAt - now();
  }

  return {
    async resolve() {
      const left = current === undefined ? 0 : life(current);
      if (left > RENEW_MS && current) return current;
      const mayAsk = now() - attemptedAt >= RETRY_MS;
      if (left < TOKEN_LIFE_MS && (mayAsk || underWay)) await (underWay ?? renew());
      else if (mayAsk) void renew();
      if (current === undefined) throw failure ?? new Fault('credentials_unavailable', 'no AWS credentials yet');
      if (life(current) < MIN_LIFE_MS) {
        throw new Fault(
          'credentials_expiring',
          `the AWS credentials end ${describe(current)} and could not be renewed`,
          {
            cause: failure,
            retryAfterSeconds: RETRY_MS / 1000,
          },
        );
      }
      return current;
    },
  };
}

function describe({ expiresAt }: SigningCredentials): string {
  return expiresAt === null ? 'never' : `at ${new Date(expiresAt).toISOString()}`;
}

/** The SDK's messages name places it looked in and may quote a source's answer: the record gets our words only. */
function asCredentialsFault(error: unknown): Fault {
  const fault = asFault(error);
  return fault.code === 'internal'
    ? new Fault('credentials_unavailable', 'no source of the AWS provider chain gave credentials', { cause: error })
    : fault;
}

async function withTimeout<T>(promise: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Fault('credentials_unavailable', 'the AWS provider chain gave no answer within 5 s')),
    LOAD_TIMEOUT_MS,
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
