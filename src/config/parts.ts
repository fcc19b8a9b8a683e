import type { z } from 'zod';
import {
  type Config,
  type DatabaseConfig,
  type GrantConfig,
  type IssuerConfig,
  partSchemas,
  type PolicyTestConfig,
} from '../config.ts';

export type AllowConfig = NonNullable<GrantConfig['allow']>[number];
export type DenyConfig = NonNullable<GrantConfig['deny']>[number];

type Written<Part, Keys extends keyof Part> = { readonly [Key in Keys]: Part[Key] | null };
type Conditions = 'subject' | 'subjectGlob' | 'claims' | 'namespace' | 'serviceAccount' | 'sourceCidrs' | 'when';

/**
 * The parts of a configuration that refer to each other. null stands for what the schema refused, and is not looked at
 * again: so a mistake in one part hides no mistake in another, and none is reported twice.
 */
export type Parts = {
  readonly issuers:
    | readonly Written<IssuerConfig, 'name' | 'issuer' | 'jwks' | 'caFile' | 'bearerTokenFile' | 'kubernetes'>[]
    | null;
  readonly databases: Readonly<Record<string, DatabaseConfig | null>> | null;
  readonly grants:
    | readonly (Written<GrantConfig, 'name' | 'issuer' | 'notAfter' | Conditions> & {
        readonly allow?: readonly (AllowConfig | null)[] | undefined;
        readonly deny?: readonly (DenyConfig | null)[] | undefined;
      })[]
    | null;
  readonly auditors: readonly Written<Config['auditors'][number], 'name' | 'issuer' | Conditions>[] | null;
  readonly policyTests: readonly Written<PolicyTestConfig, 'name' | 'issuer'>[];
  readonly auditStore: Config['audit']['store'] | null;
  readonly limitStore: Config['limits']['store'] | null;
  readonly caBundles: Partial<Config['caBundles']> | null;
  readonly trustedProxies: readonly string[];
  readonly tls: NonNullable<Config['server']['tls']> | null;
};

export function partsOf(config: Config): Parts {
  const { issuers, databases, grants, auditors, policyTests, audit, caBundles, limits, server } = config;
  return {
    issuers,
    databases,
    grants,
    auditors,
    policyTests,
    auditStore: audit.store,
    limitStore: limits.store,
    caBundles,
    trustedProxies: server.trustedProxies,
    tls: server.tls ?? null,
  };
}

/** What can be made of a configuration that the schema refused. */
export function salvageParts(value: unknown): Parts {
  const whole = record(value) ?? {};
  const databases = record(whole['databases']);
  const { issuer, database, grant, allow, deny, auditor, policyTest } = partSchemas;
  return {
    issuers:
      list(whole['issuers'])?.map((written) => ({
        name: read(issuer.shape.name, record(written)?.['name']),
        issuer: read(issuer.shape.issuer, record(written)?.['issuer']),
        jwks: read(issuer.shape.jwks, record(written)?.['jwks']),
        caFile: read(issuer.shape.caFile, record(written)?.['caFile']),
        bearerTokenFile: read(issuer.shape.bearerTokenFile, record(written)?.['bearerTokenFile']),
        kubernetes: read(issuer.shape.kubernetes, record(written)?.['kubernetes']),
      })) ?? null,
    databases:
      databases === null
        ? null
        : Object.fromEntries(Object.entries(databases).map(([name, written]) => [name, read(database, written)])),
    grants:
      list(whole['grants'])?.map((written) => ({
        name: read(grant.shape.name, record(written)?.['name']),
        issuer: read(grant.shape.issuer, record(written)?.['issuer']),
        ...conditions(written),
        notAfter: read(grant.shape.notAfter, record(written)?.['notAfter']),
        deny: (list(record(written)?.['deny']) ?? []).map((item) => read(deny, item)),
        allow: (list(record(written)?.['allow']) ?? []).map((item) => read(allow, item)),
      })) ?? null,
    auditors:
      list(whole['auditors'] ?? [])?.map((written) => ({
        name: read(auditor.shape.name, record(written)?.['name']),
        issuer: read(auditor.shape.issuer, record(written)?.['issuer']),
        ...conditions(written),
      })) ?? null,
    policyTests: (list(whole['policyTests'] ?? []) ?? []).map((written) => ({
      name: read(policyTest.shape.name, record(written)?.['name']),
      issuer: read(policyTest.shape.issuer, record(written)?.['issuer']),
    })),
    auditStore: read(partSchemas.auditStore, record(whole['audit'])?.['store'] ?? { type: 'sqlite' }),
    limitStore: read(partSchemas.limits.shape.store, record(whole['limits'])?.['store']),
    caBundles: read(partSchemas.caBundles, whole['caBundles'] ?? {}),
    trustedProxies: [],
    tls: read(partSchemas.server.shape.tls, record(whole['server'])?.['tls']) ?? null,
  };
}

/** Grants and auditors have the same. */
function conditions(written: unknown): Written<GrantConfig, Conditions> {
  const { subject, subjectGlob, claims, namespace, serviceAccount, sourceCidrs, when } = partSchemas.grant.shape;
  const { ...given } = record(written);
  return {
    subject: read(subject, given['subject']),
    subjectGlob: read(subjectGlob, given['subjectGlob']),
    claims: read(claims, given['claims']),
    namespace: read(namespace, given['namespace']),
    serviceAccount: read(serviceAccount, given['serviceAccount']),
    sourceCidrs: read(sourceCidrs, given['sourceCidrs']),
    when: read(when, given['when']),
  };
}

function read<Schema extends z.ZodType>(schema: Schema, written: unknown): z.output<Schema> | null {
  const result = schema.safeParse(written);
  return result.success ? result.data : null;
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function list(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

/** undefined where a name is missing, so that a single mistake in the issuers is not reported again for each grant. */
export function knownIssuerNames(issuers: Parts['issuers']): ReadonlySet<string> | undefined {
  const names = (issuers ?? []).map(({ name }) => name);
  return names.length === 0 || names.includes(null) ? undefined : new Set(names.filter((name) => name !== null));
}
