import type { CredentialsRequest, ResolvedCredentials, SigningCredentials } from '../issuance/auth-token.ts';
import { Fault } from '../issuance/fault.ts';
import type { Clock } from './clock.ts';
import type { RolePlan, WebIdentityPlan } from './credential-plan.ts';
import { createKeptCredentials, type KeptCredentials, NotAsked, TOKEN_LIFE_MS } from './kept-credentials.ts';
import { createRoleGate, type RoleGate } from './role-gate.ts';
import { type SessionRequest, sessionKey, sessionRequest, sharedSessionName } from './session-request.ts';
import type { RoleCalls, RoleSession } from './sts-calls.ts';
import { observed, type OnStsCall } from './sts-event.ts';
import { StsError } from './sts-failure.ts';

/** Sessions of roles, each kept while it lives. */
export type RoleSessions = {
  /** @throws {Fault} when there is no session that lives `minLifeMs` */
  take(plan: RolePlan | WebIdentityPlan, wanted: CredentialsRequest): Promise<ResolvedCredentials>;
  /** What came of the last call for a role: `ok`, or in one sentence why there was no session, or that none was asked for. */
  state(plan: RolePlan | WebIdentityPlan): string;
  /** How many live. */
  size(): number;
};

export type RoleSessionsOptions = {
  /** The service's own credentials, which live as long as is asked for at least. */
  readonly own: (minLifeMs: number) => Promise<SigningCredentials>;
  readonly callsFor: (region: string) => RoleCalls;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** This instance's name. */
  readonly instance: string;
  readonly onCall: OnStsCall;
};

/** Sessions that are kept at once, about 2 KiB each: of callers and users that come back, the latest. */
export const MOST_SESSIONS = 10_000;
/** No session is asked for more often than this, whatever came of it. */
const RETRY_MS = 30_000;
/** What signs a call to STS needs to live no longer than the call. */
const BASE_LIFE_MS = 10_000;
export const NOT_ASKED_YET = 'no session was asked for yet';
/** A session that ends later than it was asked for shows that our clock is slow. */
const SKEW_MS = 2_000;

type Kept = KeptCredentials<RoleSession>;

export function createRoleSessions(options: RoleSessionsOptions): RoleSessions {
  const { clock, random, instance, onCall } = options;
  const sessions = new Map<string, Kept>();
  const roles = new Map<string, { readonly gate: RoleGate; readonly calls: RoleCalls }>();

  function roleOf({ arn, stsRegion }: RolePlan | WebIdentityPlan) {
    const key = `${stsRegion} ${arn}`;
    let role = roles.get(key);
    if (role === undefined) {
      role = {
        gate: createRoleGate({ roleArn: arn, monotonic: clock.monotonic }),
        calls: options.callsFor(stsRegion),
      };
      roles.set(key, role);
    }
    return role;
  }

  function keptFor(key: string, arn: string): Kept {
    const known = sessions.get(key);
    if (known && sessions.size <= MOST_SESSIONS / 2) return known;
    const kept =
      known ??
      createKeptCredentials<RoleSession>({
        clock,
        renewBelowMs: (lifeMs) => renewBelow(lifeMs, random()),
        retryMs: () => RETRY_MS,
        origin: `role ${arn}`,
      });
    // The one that was used last is the last to go.
    sessions.delete(key);
    sessions.set(key, kept);
    if (known === undefined) forget();
    return kept;
  }

  /** Two for each that is added, so that those that ended go before there are many. */
  function forget(): void {
    let seen = 0;
    for (const [key, kept] of sessions) {
      if (++seen > 2 || sessions.size === 1) return;
      const ended = (kept.peek()?.lifeMs ?? 1) <= 0;
      if (ended || sessions.size > MOST_SESSIONS) sessions.delete(key);
    }
  }

  /** One call, behind the role's gate. */
  async function ask(
    plan: RolePlan | WebIdentityPlan,
    call: (patient: boolean) => Promise<RoleSession>,
    issuer?: string,
  ): Promise<RoleSession> {
    const { gate } = roleOf(plan);
    try {
      const session = await gate.run((patient) => observed(plan, clock, onCall, () => call(patient)), issuer);
      return bounded(session, clock.now() + plan.durationSeconds * 1000);
    } catch (error) {
      if (!(error instanceof StsError)) throw error;
      // The failure is kept for the session's next caller, and the SDK's error holds the whole request, JWT included:
      // it has been told to `onCall`, and goes no further.
      const cause = new StsError(error.failure, error.code, undefined);
      const options = { cause, retryAfterSeconds: RETRY_MS / 1000 };
      throw new Fault('credentials_unavailable', `role ${plan.arn}: ${error.message}`, options);
    }
  }

  async function takeRole(plan: RolePlan, key: string, request: () => SessionRequest, minLifeMs: number) {
    const { gate, calls } = roleOf(plan);
    const { arn, externalId, durationSeconds } = plan;
    return keptFor(key, arn).take({
      minLifeMs,
      paused: () => gate.paused(),
      async load() {
        const base = await baseOf(plan).catch(notAsked);
        const asked = { ...request(), arn, externalId, durationSeconds };
        return ask(plan, (patient) => calls.assumeRole({ ...asked, patient }, base));
      },
    });
  }

  /** The service itself, or the role on the way: a session of nobody in particular. */
  function baseOf({ via }: RolePlan): Promise<SigningCredentials> {
    if (via === null) return options.own(BASE_LIFE_MS);
    const { key, sourceIdentity, tags } = via;
    const request = () => ({ sessionName: sharedSessionName(instance), policy: null, sourceIdentity, tags });
    return takeRole(via, key, request, BASE_LIFE_MS);
  }

  async function takeWebIdentity(plan: WebIdentityPlan, wanted: CredentialsRequest): Promise<RoleSession> {
    const { jwt, minLifeMs } = wanted;
    const { issuer, subject } = wanted.caller;
    const { arn, durationSeconds, issuers } = plan;
    if (!issuers.includes(issuer)) {
      // The configuration's checks leave no grant for it.
      throw new Fault('credentials_unavailable', `the JWTs of issuer ${issuer} may not assume role ${arn}`);
    }
    const { gate, calls } = roleOf(plan);
    return keptFor(sessionKey(plan, wanted), arn).take({
      minLifeMs,
      paused: () => gate.paused(issuer),
      load() {
        const asked = { ...sessionRequest(plan, wanted, instance), arn, durationSeconds, jwt, subject };
        return ask(plan, (patient) => calls.assumeRoleWithWebIdentity({ ...asked, patient }), issuer);
      },
    });
  }

  return {
    take(plan, wanted) {
      if (plan.kind === 'webIdentity') return takeWebIdentity(plan, wanted);
      const request = () => sessionRequest(plan, wanted, instance);
      return takeRole(plan, sessionKey(plan, wanted), request, wanted.minLifeMs);
    },
    state(plan) {
      const last = roleOf(plan).gate.last() ?? NOT_ASKED_YET;
      return last instanceof StsError ? `${last.message} in ${plan.stsRegion}` : last;
    },
    size: () => [...sessions.values()].filter((kept) => (kept.peek()?.lifeMs ?? 0) > 0).length,
  };
}

/** Without something to sign with, STS was not asked. */
function notAsked(error: unknown): never {
  if (!(error instanceof Fault)) throw error;
  const { code, message, cause, retryAfterSeconds } = error;
  throw new NotAsked(code, message, { cause, retryAfterSeconds });
}

/**
 * At how much life a session is renewed, milliseconds: at about half of it, never so late that the renewal has less than
 * a fifth of what is above a token's 900 s. An outage of STS that is shorter than that shortens no token. The jitter keeps
 * sessions that began together from being renewed together.
 */
export function renewBelow(lifeMs: number, random: number): number {
  const half = lifeMs * (0.5 + 0.1 * random);
  const spare = TOKEN_LIFE_MS + Math.max(0, lifeMs - TOKEN_LIFE_MS) * (0.2 + 0.2 * random);
  return Math.max(half, spare);
}

/** A session has ended `durationSeconds` after STS gave it, whatever our clock makes of the time that STS wrote. */
function bounded(session: RoleSession, latest: number): RoleSession {
  const late = session.expiresAt !== null && session.expiresAt > latest + SKEW_MS;
  return late ? { ...session, expiresAt: latest } : session;
}
