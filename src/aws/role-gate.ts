import type { Fault } from '../issuance/fault.ts';
import { NotAsked } from './kept-credentials.ts';
import { asStsError, type StsError } from './sts-failure.ts';

/** Calls to STS for one role. While STS is in trouble there is one every 30 s, whatever is waiting. */
export type RoleGate = {
  /**
   * @param call asks STS; `patient` says whether it may try again by itself
   * @throws {NotAsked} when it may not be asked now
   * @throws {StsError} what STS answered
   */
  run<T>(call: (patient: boolean) => Promise<T>): Promise<T>;
  /** Why STS is not asked now; undefined when it is. */
  paused(): Fault | undefined;
  /** What came of the last call that has an answer; undefined while there is none. */
  last(): 'ok' | StsError | undefined;
};

export type RoleGateOptions = {
  readonly roleArn: string;
  readonly monotonic: () => number;
};

const PAUSE_MS = 30_000;
/** At once for one role: sessions of many users may begin together, and STS counts by account. */
const MOST_AT_ONCE = 4;
/** About as many as have their turn while a caller waits. Who comes later is told to come again. */
const MOST_WAITING = 100;

export function createRoleGate({ roleArn, monotonic }: RoleGateOptions): RoleGate {
  /** Since the last call that failed for the whole role. */
  let trouble: { readonly error: StsError; until: number } | undefined;
  let last: 'ok' | StsError | undefined;
  let running = 0;
  const waiting: (() => void)[] = [];

  function paused(): NotAsked | undefined {
    const left = trouble === undefined ? 0 : trouble.until - monotonic();
    if (trouble === undefined || left <= 0) return undefined;
    return new NotAsked('credentials_unavailable', `role ${roleArn}: ${trouble.error.message}`, {
      cause: trouble.error,
      retryAfterSeconds: Math.ceil(left / 1000),
    });
  }

  function refuseWhilePaused(): void {
    const pause = paused();
    if (pause) throw pause;
  }

  async function enter(): Promise<void> {
    if (running >= MOST_AT_ONCE) {
      if (waiting.length >= MOST_WAITING) {
        throw new NotAsked('credentials_unavailable', `role ${roleArn}: too many sessions begin at once`);
      }
      // Whoever leaves hands its place on.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
  }

  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  async function attempt<T>(call: (patient: boolean) => Promise<T>): Promise<T> {
    const patient = trouble === undefined;
    // Nobody else asks while this one has no answer.
    if (trouble) trouble.until = monotonic() + PAUSE_MS;
    try {
      const answer = await call(patient);
      trouble = undefined;
      last = 'ok';
      return answer;
    } catch (error) {
      const failed = asStsError(error);
      last = failed;
      // A refusal is an answer too: STS is there.
      trouble = failed.concernsRole ? { error: failed, until: monotonic() + PAUSE_MS } : undefined;
      throw failed;
    }
  }

  return {
    paused,
    last: () => last,
    async run(call) {
      refuseWhilePaused();
      await enter();
      try {
        // Trouble may have begun while this one waited for its place.
        refuseWhilePaused();
        return await attempt(call);
      } finally {
        leave();
      }
    },
  };
}
