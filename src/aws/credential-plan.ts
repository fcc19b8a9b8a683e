import { hash } from 'node:crypto';
import type { DatabaseConfig } from '../config.ts';
import { partitionOf } from '../issuance/database.ts';

export type Scope = 'shared' | 'perUser' | 'perCaller';

/** A role that is assumed with the service's own credentials, perhaps by way of others. */
export type RolePlan = {
  readonly kind: 'role';
  /** The same for equal settings: sessions outlive a reload that does not change them. */
  readonly key: string;
  readonly arn: string;
  readonly scope: Scope;
  readonly externalId: string | null;
  readonly durationSeconds: number;
  /** Of sessions that are not of one caller; null for none. */
  readonly sourceIdentity: string | null;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly stsRegion: string;
  /** The role whose session assumes this one; null where the service's own credentials do. */
  readonly via: RolePlan | null;
};

/** A role that the caller's own JWT assumes. */
export type WebIdentityPlan = {
  readonly kind: 'webIdentity';
  readonly key: string;
  readonly arn: string;
  readonly scope: Scope;
  readonly durationSeconds: number;
  readonly stsRegion: string;
  /** Names of the issuers whose JWTs may be sent to STS. */
  readonly issuers: readonly string[];
};

/** Where the credentials of a database come from. */
export type CredentialPlan = { readonly kind: 'own' } | RolePlan | WebIdentityPlan;

/** AWS allows a role that another role's session assumes one hour at most (AssumeRole, "role chaining"). */
export const MOST_CHAINED_MS = 3_600_000;

/** @param ownRegion the region that the service runs in, if its environment names one */
export function credentialPlanOf(
  { role, webIdentity, region }: Pick<DatabaseConfig, 'role' | 'webIdentity' | 'region'>,
  ownRegion: string | undefined,
): CredentialPlan {
  if (role !== undefined) {
    const { via = [], tags = {}, externalId = null, sourceIdentity = null, ...given } = role;
    const stsRegion = given.stsRegion ?? stsRegionOf(region, ownRegion);
    const hops = via.reduce<RolePlan | null>(
      (before, hop) =>
        rolePlan({
          arn: hop.arn,
          externalId: hop.externalId ?? null,
          scope: 'shared',
          durationSeconds: MOST_CHAINED_MS / 1000,
          sourceIdentity: null,
          tags: [],
          stsRegion,
          via: before,
        }),
      null,
    );
    return rolePlan({
      arn: given.arn,
      externalId,
      scope: given.scope,
      durationSeconds: given.sessionDuration / 1000,
      sourceIdentity,
      tags: Object.entries(tags),
      stsRegion,
      via: hops,
    });
  }
  if (webIdentity === undefined) return { kind: 'own' };
  const { arn, scope, issuers, sessionDuration } = webIdentity;
  const plan = {
    kind: 'webIdentity' as const,
    arn,
    scope,
    durationSeconds: sessionDuration / 1000,
    stsRegion: webIdentity.stsRegion ?? stsRegionOf(region, ownRegion),
    issuers,
  };
  return { ...plan, key: keyOf(plan) };
}

function rolePlan(plan: Omit<RolePlan, 'kind' | 'key'>): RolePlan {
  return { kind: 'role', ...plan, key: keyOf(plan) };
}

function keyOf(plan: object): string {
  return hash('sha256', JSON.stringify(plan), 'base64url');
}

/**
 * Always a regional endpoint: the global one is in one region, and its sessions are no good in regions that were opted into.
 * The service's own region, since there is the VPC endpoint; the database's, where that is of another partition.
 */
function stsRegionOf(databaseRegion: string, ownRegion: string | undefined): string {
  const usable = ownRegion !== undefined && partitionOf(ownRegion) === partitionOf(databaseRegion);
  return usable ? ownRegion : databaseRegion;
}
