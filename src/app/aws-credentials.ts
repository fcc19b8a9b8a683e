import { type CredentialPlan, credentialPlanOf } from '../aws/credential-plan.ts';
import type { CredentialSource } from '../aws/credential-source.ts';
import type { createOwnIdentity } from '../aws/own-identity.ts';
import type { OwnCredentials } from '../aws/provider-chain.ts';
import type { RoleSessions } from '../aws/role-sessions.ts';
import { roleStates } from '../aws/role-states.ts';
import { type WarmSession, warmSessions } from '../aws/warm-sessions.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { type AwsReadiness, worded } from '../http/readiness.ts';
import type { ResolveCredentials } from '../issuance/auth-token.ts';
import type { Staged } from './staged.ts';

/** The AWS credentials of every database, across reloads. */
export type AwsCredentials = {
  /** Sessions that the next configuration asks for in the same way are kept. */
  stage(loaded: Pick<LoadedConfig, 'config' | 'catalog' | 'grants'>): Staged<ResolveCredentials>;
  /** Finds out who the service is, and keeps what is to be kept warm, from now on. */
  start(): void;
  /** Of the configuration in force. */
  readiness(): Promise<AwsReadiness>;
  close(): void;
};

export type AwsCredentialsOptions = {
  readonly own: CredentialSource<OwnCredentials>;
  readonly identity: ReturnType<typeof createOwnIdentity>;
  readonly sessions: RoleSessions;
  /** The region that the service runs in, if its environment names one. */
  readonly ownRegion: string | undefined;
};

/** How often what is kept warm is looked at, milliseconds. */
const LOOK_MS = 30_000;
/** Callers' own requests need places at the roles' gates too. */
const WARM_AT_ONCE = 2;

type InForce = { readonly plans: ReadonlyMap<string, CredentialPlan>; readonly warm: readonly WarmSession[] };

export function createAwsCredentials({ own, identity, sessions, ownRegion }: AwsCredentialsOptions): AwsCredentials {
  let inForce: InForce = { plans: new Map(), warm: [] };
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  function needsOwn(): boolean {
    return [...inForce.plans.values()].some(({ kind }) => kind !== 'webIdentity');
  }

  /** Failures are told where they arise. */
  async function look(): Promise<void> {
    if (needsOwn()) await identity.refresh().catch(() => undefined);
    const { warm } = inForce;
    for (let at = 0; at < warm.length; at += WARM_AT_ONCE) {
      const some = warm.slice(at, at + WARM_AT_ONCE);
      await Promise.allSettled(some.map(({ plan, wanted }) => sessions.take(plan, wanted)));
    }
  }

  /** One look at a time: what is asked for during one is seen by the next. */
  function lookNow(): void {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }

  return {
    stage({ config, catalog, grants }) {
      const databases = Object.entries(config.databases);
      const plans = new Map(databases.map(([name, database]) => [name, credentialPlanOf(database, ownRegion)]));
      const warmed = new Set(databases.filter(([, { role }]) => role?.warm === true).map(([name]) => name));
      const next = { plans, warm: warmSessions(warmed, catalog, plans, grants) };
      return {
        async part(wanted) {
          const plan = plans.get(wanted.database.name);
          if (plan === undefined || plan.kind === 'own') return own.resolve(wanted.minLifeMs);
          return sessions.take(plan, wanted);
        },
        commit() {
          inForce = next;
          if (timer) lookNow();
        },
        discard() {},
      };
    },
    start() {
      timer = setInterval(lookNow, LOOK_MS).unref();
      lookNow();
    },
    async readiness() {
      const plans = [...inForce.plans.values()];
      const ownState = needsOwn()
        ? await worded(() => own.resolve())
        : 'not used: every database takes its callers’ JWTs';
      return {
        own: ownState,
        // A database that takes its callers' JWTs needs nothing of the service's.
        able: ownState === 'ok' || plans.some(({ kind }) => kind === 'webIdentity'),
        roles: roleStates(plans, sessions.state),
        identity: needsOwn() ? identity.describe() : undefined,
      };
    },
    close: () => clearInterval(timer),
  };
}
