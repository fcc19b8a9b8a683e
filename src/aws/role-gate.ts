import type { Fault } from '../issuance/fault.ts';
import { NotAsked } from './kept-credentials.ts';
import { asStsError, type StsError } from './sts-failure.ts';

/** Calls to STS for one role. While STS is in trouble there is one every 30 s, whatever is waiting. */
export type RoleGate = {
  /**
   * @param call asks STS; `patient` says whether it may try again by itself
   * @param issuer whose JWT is sent along; STS may have trouble with one issuer alone
   * @throws {NotAsked} when it may not be asked now
   * @throws {StsError} what STS answered
   */
  run<T>(call: (patient: boolean) => Promise<T>, issuer?: string): Promise<T>;
  /** Why STS is not asked now; undefined when it is. */
  paused(issuer?: string): Fault | undefined;
  /** What came of the last call that has an answer; undefined while there is none. */
  last(): 'ok' | StsError | undefined;
};

export type RoleGateOptions = {
  readonly roleArn: string;
  readonly monotonic: () => number;
};

const ROLE = Symbol('role');
const PAUSE_MS = 30_000;
/** At once for one role: sessions of many users may begin together, and STS counts by account. */
const MOST_AT_ONCE = 4;
/** About as many as have their turn while a caller waits. Who comes later is told to come again. */
const MOST_WAITING = 100;

function whoseTrouble(failed: StsError, issuer: string | undefined): string | typeof ROLE | undefined {
  // STS fetches the keys of a JWT's issuer while the call waits: no answer in time is no proof against other issuers.
  if (issuer !== undefined && (failed.concernsIssuer || failed.timedOut)) return issuer;
  return failed.concernsRole ? ROLE : undefined;
}

export function createRoleGate({ roleArn, monotonic }: RoleGateOptions): RoleGate {
  /** Since the last call that failed for the whole role, or for all JWTs of an issuer. */
  const troubles = new Map<string | typeof ROLE, { readonly error: StsError; until: number }>();
  let last: 'ok' | StsError | undefined;
  let running = 0;
  const waiting: (() => void)[] = [];

  function troublesOf(issuer: string | undefined) {
    return [troubles.get(ROLE), issuer === undefined ? undefined : troubles.get(issuer)].filter(
      (one) => one !== undefined,
    );
  }

  function paused(issuer: string | undefined): NotAsked | undefined {
    const trouble = troublesOf(issuer).find(({ until }) => until > monotonic());
    if (trouble === undefined) return undefined;
    const left = trouble.until - monotonic();
    return new NotAsked('credentials_unavailable', `role ${roleArn}: ${trouble.error.message}`, {
      cause: trouble.error,
      retryAfterSeconds: Math.ceil(left / 1000),
    });
  }

  function refuseWhilePaused(issuer: string | undefined): void {
    const pause = paused(issuer);
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

  /** What was in the way is over where STS answered, but for what this answer says. */
  function note(failed: StsError | undefined, issuer: string | undefined): void {
    const whose = failed && whoseTrouble(failed, issuer);
    if (whose !== issuer || failed?.timedOut !== true) troubles.delete(ROLE);
    if (issuer !== undefined && whose !== ROLE) troubles.delete(issuer);
    if (failed && whose !== undefined) troubles.set(whose, { error: failed, until: monotonic() + PAUSE_MS });
  }

  async function attempt<T>(call: (patient: boolean) => Promise<T>, issuer: string | undefined): Promise<T> {
    const before = troublesOf(issuer);
    // Nobody else asks while this one has no answer.
    for (const trouble of before) trouble.until = monotonic() + PAUSE_MS;
    try {
      const answer = await call(before.length === 0);
      note(undefined, issuer);
      last = 'ok';
      return answer;
    } catch (error) {
      const failed = asStsError(error);
      last = failed;
      note(failed, issuer);
      throw failed;
    }
  }

  return {
    paused,
    last: () => last,
    async run(call, issuer) {
      refuseWhilePaused(issuer);
      await enter();
      try {
        // Trouble may have begun while this one waited for its place.
        refuseWhilePaused(issuer);
        return await attempt(call, issuer);
      } finally {
        leave();
      }
    },
  };
}
