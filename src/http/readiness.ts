import type { AuditLog } from '../issuance/audit-record.ts';
import { asFault } from '../issuance/fault.ts';

/** The answer of `/readyz`. Each check is `ok` or says in one sentence what is missing. */
export type Readiness = {
  readonly status: 'ready' | 'not_ready' | 'draining';
  readonly checks: {
    readonly audit_store: string;
    /** The service's own. */
    readonly aws_credentials: string;
    /** Of the roles that databases name; left out where there is none. */
    readonly aws_roles?: Readonly<Record<string, string>>;
    readonly issuers: Readonly<Record<string, string>>;
    readonly ca_bundles: Readonly<Record<string, string>>;
    readonly configuration: string;
  };
  /** Whose the service's own credentials are, where it has and uses some. */
  readonly aws_identity?: object;
};

export type AwsReadiness = {
  /** `ok`, or what is missing. */
  readonly own: string;
  /** Whether some database's tokens can be signed, as far as is known. */
  readonly able: boolean;
  readonly roles: Readonly<Record<string, string>>;
  /** Nothing of it is secret. */
  readonly identity: object | undefined;
};

export type ReadinessSources = {
  readonly audit: Pick<AuditLog, 'probe'>;
  readonly aws: () => Promise<AwsReadiness>;
  /** Of the configuration in force. */
  readonly current: () => {
    readonly issuers: readonly {
      readonly name: string;
      readonly keySet: { status(): { readonly ready: boolean; readonly failure: string | null } };
    }[];
    readonly caBundleIds: ReadonlySet<string>;
    /** Throws a `Fault` for a bundle that is not there. */
    readonly requireCaBundle: (id: string) => unknown;
  };
  /** `ok`, or why the last change of the configuration is not used. */
  readonly configuration: () => string;
  readonly isDraining: () => boolean;
};

/**
 * Makes the check behind `/readyz`. Ready means that some caller can be served: the audit store takes a record, there
 * are AWS credentials, and at least one issuer's keys are in hand. An issuer, a role or a CA bundle that is missing is
 * named, but takes the service from nobody else. A change of the configuration that is not used leaves the service ready too.
 */
export function createReadiness(sources: ReadinessSources): () => Promise<Readiness> {
  return async () => {
    const [audit, aws] = await Promise.all([worded(() => sources.audit.probe()), sources.aws()]);
    const inForce = sources.current();
    const issuers = inForce.issuers.map(({ name, keySet }) => ({ name, ...keySet.status() }));
    const bundles = await Promise.all(
      [...inForce.caBundleIds].map(async (id) => [id, await worded(async () => inForce.requireCaBundle(id))] as const),
    );
    const able = audit === 'ok' && aws.able && issuers.some(({ ready }) => ready);
    return {
      status: sources.isDraining() ? 'draining' : able ? 'ready' : 'not_ready',
      checks: {
        audit_store: audit,
        aws_credentials: aws.own,
        ...(Object.keys(aws.roles).length === 0 ? {} : { aws_roles: aws.roles }),
        issuers: Object.fromEntries(issuers.map((issuer) => [issuer.name, describeIssuer(issuer)])),
        ca_bundles: Object.fromEntries(bundles),
        configuration: sources.configuration(),
      },
      ...(aws.identity === undefined ? {} : { aws_identity: aws.identity }),
    };
  };
}

function describeIssuer({ ready, failure }: { readonly ready: boolean; readonly failure: string | null }): string {
  if (failure !== null) return ready ? `ok, with earlier keys: ${failure}` : failure;
  return ready ? 'ok' : 'its keys are not loaded yet';
}

/** `ok`, or why the check failed. */
export async function worded(check: () => Promise<unknown>): Promise<string> {
  try {
    await check();
    return 'ok';
  } catch (error) {
    return asFault(error).message;
  }
}
