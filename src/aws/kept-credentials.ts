import type { SigningCredentials } from '../issuance/auth-token.ts';
import { asFault, Fault } from '../issuance/fault.ts';
import type { Clock } from './clock.ts';

/** Credentials of one origin, kept while they live. */
export type KeptCredentials<Kept extends SigningCredentials> = {
  /**
   * Credentials that live at least `minLifeMs`, and a token's whole 900 s where the origin can be asked. `expiresAt` is
   * when they end by our clock.
   *
   * @throws {Fault} `credentials_unavailable` when there are none, `credentials_expiring` when they end before
   */
  take(wanted: WantedCredentials<Kept>): Promise<Kept>;
  /** What is kept, and how long it lives, milliseconds; undefined before the first answer. */
  peek(): { readonly credentials: Kept; readonly lifeMs: number } | undefined;
};

export type WantedCredentials<Kept> = {
  readonly minLifeMs: number;
  /** Asks the origin afresh; it must not answer from a cache of its own. */
  readonly load: () => Promise<Kept>;
  /** Why the origin is not to be asked now; undefined when it may be. */
  readonly paused?: () => Fault | undefined;
};

export type KeptCredentialsOptions = {
  readonly clock: Clock;
  /** At how much life they are renewed in the background, milliseconds, of credentials that have just come. */
  readonly renewBelowMs: (lifeMs: number) => number;
  /** How long after an attempt the origin is not asked again, milliseconds; `alive` says whether something still lives. */
  readonly retryMs: (alive: boolean) => number;
  /** Words for operators: what gave no credentials. */
  readonly origin: string;
  readonly onFailure?: (fault: Fault) => void;
};

export const TOKEN_LIFE_MS = 900_000;
const LOAD_TIMEOUT_MS = 5_000;
/** Smaller differences of the two clocks are their own drift, and the time that AWS gave is the exact one. */
const CLOCK_DRIFT_MS = 2_000;

/** Thrown by `load` when it did not ask: it does not count as an attempt. */
export class NotAsked extends Fault {}

/**
 * Keeps credentials in a closure: one load at a time, renewal in the background before tokens would be cut short, the old
 * ones used while they live. Their end is watched here, since rds-signer signs silently with expired ones
 * (aws-sdk-js-v3#8047), and by two clocks: one that was put back must not lengthen a life.
 */
export function createKeptCredentials<Kept extends SigningCredentials>(
  options: KeptCredentialsOptions,
): KeptCredentials<Kept> {
  const { clock, origin } = options;
  let current: { readonly credentials: Kept; readonly endsAt: number; readonly renewBelowMs: number } | undefined;
  let underWay: Promise<void> | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: Fault | undefined;

  /** By the clock that says less. */
  function lifeMs(): number {
    if (current === undefined) return 0;
    const { credentials, endsAt } = current;
    return credentials.expiresAt === null
      ? Number.POSITIVE_INFINITY
      : Math.min(credentials.expiresAt - clock.now(), endsAt - clock.monotonic());
  }

  function renew(load: () => Promise<Kept>): Promise<void> {
    const before = attemptedAt;
    attemptedAt = clock.monotonic();
    underWay ??= attempt(load, before).finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  function keep(credentials: Kept): void {
    const life = credentials.expiresAt === null ? Number.POSITIVE_INFINITY : credentials.expiresAt - clock.now();
    // Sources such as instance metadata may hand out what they had, or less.
    if (current === undefined || life >= lifeMs()) {
      // The same ones, handed out again, live no longer because the clock was put back meanwhile.
      const before = isSame(current?.credentials, credentials) ? current?.endsAt : undefined;
      const endsAt = Math.min(clock.monotonic() + life, before ?? Number.POSITIVE_INFINITY);
      current = { credentials, endsAt, renewBelowMs: options.renewBelowMs(life) };
    }
    failure = undefined;
  }

  async function attempt(load: () => Promise<Kept>, before: number): Promise<void> {
    try {
      // Also when nobody waits for it any more: what comes late serves the next request.
      await withTimeout(load().then(keep), origin);
    } catch (error) {
      if (error instanceof NotAsked) attemptedAt = before;
      failure = asCredentialsFault(error, origin);
      options.onFailure?.(failure);
    }
  }

  function waitMs(): number {
    return attemptedAt + options.retryMs(lifeMs() > 0) - clock.monotonic();
  }

  function given(kept: Kept, life: number): Kept {
    const end = clock.now() + life;
    const shortened = kept.expiresAt !== null && kept.expiresAt - end > CLOCK_DRIFT_MS;
    return shortened ? { ...kept, expiresAt: Math.floor(end) } : kept;
  }

  return {
    peek: () => current && { credentials: current.credentials, lifeMs: lifeMs() },
    async take({ minLifeMs, load, paused }) {
      let life = lifeMs();
      if (current && life > current.renewBelowMs && life >= minLifeMs) return given(current.credentials, life);
      const pause = paused?.();
      const mayAsk = pause === undefined && waitMs() <= 0;
      if (life < TOKEN_LIFE_MS && (mayAsk || underWay)) await (underWay ?? renew(load));
      else if (mayAsk) void renew(load);
      life = lifeMs();
      if (current && life > 0 && life >= minLifeMs) return given(current.credentials, life);
      const why = pause ?? failure;
      // Where the origin was not asked, whoever kept it from being asked knows until when.
      const told = pause ?? (failure instanceof NotAsked ? failure : undefined);
      const retryAfterSeconds = Math.max(1, told?.retryAfterSeconds ?? Math.ceil(waitMs() / 1000));
      if (current === undefined) {
        throw new Fault(why?.code ?? 'credentials_unavailable', why?.message ?? `no credentials of ${origin} yet`, {
          cause: why?.cause,
          retryAfterSeconds,
        });
      }
      const end = new Date(current.credentials.expiresAt ?? 0).toISOString();
      throw new Fault(
        'credentials_expiring',
        why || life <= 0
          ? `the AWS credentials of ${origin} end at ${end} and could not be renewed${why ? `: ${why.message}` : ''}`
          : `the AWS credentials of ${origin} end at ${end}, before the ${minLifeMs / 1000} s that are asked for`,
        { cause: why, retryAfterSeconds },
      );
    },
  };
}

function isSame(one: SigningCredentials | undefined, other: SigningCredentials): boolean {
  return one?.accessKeyId === other.accessKeyId && one.expiresAt === other.expiresAt;
}

/** The SDK's messages name places it looked in and may quote a source's answer: the record gets our words only. */
function asCredentialsFault(error: unknown, origin: string): Fault {
  const fault = asFault(error);
  return fault.code === 'internal'
    ? new Fault('credentials_unavailable', `no credentials of ${origin}`, { cause: error })
    : fault;
}

async function withTimeout<T>(promise: Promise<T>, origin: string): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Fault('credentials_unavailable', `${origin} gave no answer within 5 s`)),
    LOAD_TIMEOUT_MS,
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
