import type { Fault } from '../issuance/fault.ts';
import { NotAsked } from './kept-credentials.ts';
import { createPlaces, type Places } from './places.ts';
import { asStsError, type StsError } from './sts-failure.ts';

/**
 * Calls to STS for one role. While STS is in trouble there is one every 30 s, whatever is waiting; with JWTs there is one
 * for each issuer, so that an issuer whose calls are slow keeps no other from finding out that STS is well.
 */
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

/** The role itself, as against an issuer whose JWTs may assume it. */
const ROLE = Symbol('role');
type Party = string | typeof ROLE;

const PAUSE_MS = 30_000;
/** At once for one party: sessions of many users may begin together, and STS counts by account. */
const MOST_AT_ONCE = 4;
/** About as many as have their turn while a caller waits. Who comes later is told to come again. */
const MOST_WAITING = 100;

type Trouble = { readonly error: StsError; readonly until: number };

export function createRoleGate({ roleArn, monotonic }: RoleGateOptions): RoleGate {
  /** Since the last call that failed for the whole role, or for all JWTs of an issuer. */
  const troubles = new Map<Party, Trouble>();
  /** Until when nobody else of a party asks, because one of it asks whether the trouble is over. */
  const asking = new Map<Party, number>();
  const places = new Map<Party, Places>();
  let last: 'ok' | StsError | undefined;

  function troublesOf(party: Party): readonly Trouble[] {
    return [troubles.get(ROLE), party === ROLE ? undefined : troubles.get(party)].filter((one) => one !== undefined);
  }

  function paused(party: Party): NotAsked | undefined {
    const found = troublesOf(party);
    const until = Math.max(...found.map((trouble) => trouble.until), asking.get(party) ?? 0);
    const left = until - monotonic();
    const [trouble] = found.toSorted((one, other) => other.until - one.until);
    if (trouble === undefined || left <= 0) return undefined;
    return new NotAsked('credentials_unavailable', `role ${roleArn}: ${trouble.error.message}`, {
      cause: trouble.error,
      retryAfterSeconds: Math.ceil(left / 1000),
    });
  }

  function refuseWhilePaused(party: Party): void {
    const pause = paused(party);
    if (pause) throw pause;
  }

  function placesOf(party: Party): Places {
    const known = places.get(party) ?? createPlaces(MOST_AT_ONCE, MOST_WAITING);
    places.set(party, known);
    return known;
  }

  /** What was in the way is over where STS answered, but for what this answer says. */
  function note(failed: StsError | undefined, party: Party): void {
    const whose = failed && whoseTrouble(failed, party);
    const isAnswer = failed?.timedOut !== true || whose === ROLE;
    if (isAnswer) troubles.delete(ROLE);
    if (whose !== ROLE) troubles.delete(party);
    if (isAnswer) asking.delete(party);
    if (failed && whose !== undefined) troubles.set(whose, { error: failed, until: monotonic() + PAUSE_MS });
  }

  async function attempt<T>(call: (patient: boolean) => Promise<T>, party: Party): Promise<T> {
    const isTrouble = troublesOf(party).length > 0;
    if (isTrouble) asking.set(party, monotonic() + PAUSE_MS);
    try {
      const answer = await call(!isTrouble);
      note(undefined, party);
      last = 'ok';
      return answer;
    } catch (error) {
      const failed = asStsError(error);
      last = failed;
      note(failed, party);
      throw failed;
    }
  }

  return {
    paused: (issuer) => paused(issuer ?? ROLE),
    last: () => last,
    async run(call, issuer) {
      const party = issuer ?? ROLE;
      refuseWhilePaused(party);
      const own = placesOf(party);
      if (!(await own.enter())) {
        throw new NotAsked('credentials_unavailable', `role ${roleArn}: too many sessions begin at once`);
      }
      try {
        // Trouble may have begun while this one waited for its place.
        refuseWhilePaused(party);
        return await attempt(call, party);
      } finally {
        own.leave();
      }
    },
  };
}

function whoseTrouble(failed: StsError, party: Party): Party | undefined {
  // STS fetches the keys of a JWT's issuer while the call waits: no answer in time is no proof against other issuers.
  if (party !== ROLE && (failed.concernsIssuer || failed.timedOut)) return party;
  return failed.concernsRole ? ROLE : undefined;
}
