import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { openAuditLog } from './audit/audit-log.ts';
import { openAuditReader } from './audit/open-audit-reader.ts';
import { createCredentialSource } from './aws/credential-source.ts';
import { loadFromProviderChain } from './aws/provider-chain.ts';
import type { Config } from './config.ts';
import { caBundleOptions } from './config/ca-bundle-options.ts';
import { instanceNameOf } from './config/instance-name.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { createAdminServer } from './http/create-admin-server.ts';
import { createPublicServer } from './http/create-public-server.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { createReadiness } from './http/readiness.ts';
import type { Service } from './http/service.ts';
import { newAuditId } from './issuance/audit-id.ts';
import type { AuditReader } from './issuance/audit-query.ts';
import type { AuditLog } from './issuance/audit-record.ts';
import type { ResolveCredentials, SignAuthToken, SigningCredentials } from './issuance/auth-token.ts';
import { compileAuditors } from './issuance/auditors.ts';
import { compileGrants } from './issuance/grants.ts';
import type { IssuancePorts } from './issuance/issue-token.ts';
import type { AdmittedKeys } from './jwt/admit-keys.ts';
import { createIssuerKeySet } from './jwt/issuer-key-set.ts';
import { type KeySource, loadKeySet } from './jwt/load-key-set.ts';
import { createVerifyCaller } from './jwt/verify-caller.ts';
import { createCaBundles } from './rds/create-ca-bundles.ts';
import { createAuthTokenSigner } from './rds/sign-auth-token.ts';

/** The parts a test may give itself; whatever it leaves out is the real one. */
export type AppOverrides = {
  readonly now?: () => number;
  readonly audit?: AuditLog;
  readonly auditReader?: AuditReader;
  readonly loadKeySet?: (source: KeySource) => Promise<AdmittedKeys>;
  readonly loadCredentials?: () => Promise<SigningCredentials>;
  readonly signAuthToken?: SignAuthToken;
};

export type AppOptions = {
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Prints copies of audit records, each one line of JSON, where `audit.copyToStdout` is set. */
  readonly printRecords?: (lines: readonly string[]) => void;
  /** The region of STS where the environment names none; undefined leaves it to the environment. */
  readonly stsRegion: string | undefined;
  readonly overrides?: AppOverrides;
};

export type App = {
  readonly publicServer: FastifyInstance;
  readonly adminServer: FastifyInstance;
  /** Opens both ports; gives their addresses. */
  listen(): Promise<{ readonly publicUrl: string; readonly adminUrl: string }>;
  /** Readiness off, the configured delay, requests under way, records flushed, everything closed. */
  drain(): Promise<void>;
  /** How long `drain` may take, milliseconds. */
  readonly drainLimitMs: number;
};

/** Requests end within their own 10 s; then records are flushed. */
const DRAIN_LIMIT_MS = 30_000;

/**
 * Composes the service from a checked configuration: the only place that knows every part.
 *
 * @throws {Error} when the audit store cannot be opened or a CA bundle in use is missing
 */
export async function buildApp(loaded: LoadedConfig, options: AppOptions): Promise<App> {
  const { config, catalog } = loaded;
  const { logger, version, overrides = {} } = options;
  const now = overrides.now ?? Date.now;
  const metrics = createMetrics();

  const audit = overrides.audit ?? (await openConfiguredAuditLog(config.audit, metrics, options));
  const auditReader = overrides.auditReader ?? openAuditReader(config.audit.store);
  const closing: (() => Promise<void> | void)[] = [() => auditReader.close(), () => audit.close()];
  try {
    const caBundleIds = new Set([...catalog.values()].map(({ caBundleId }) => caBundleId));
    const caBundles = await createCaBundles({
      ...caBundleOptions(config),
      now,
      onEvent(event) {
        if (event.type === 'ca_bundle_failed') metrics.onFailure('ca_bundle');
        logger[event.type === 'ca_bundle_failed' ? 'warn' : 'info'](event, 'CA bundle');
      },
    });
    closing.unshift(() => caBundles.close());

    const issuers = config.issuers.map((issuer) => {
      const source = keySourceOf(issuer);
      const keySet = createIssuerKeySet({
        name: issuer.name,
        load: () => (overrides.loadKeySet ?? loadKeySet)(source),
        now,
        onEvent(event) {
          if (event.type === 'keys_failed') metrics.onFailure('issuer_keys');
          const level = event.type === 'keys_failed' || event.rejected.length > 0 ? 'warn' : 'info';
          logger[level](event, 'issuer keys');
        },
      });
      return {
        ...issuer,
        clockToleranceMs: issuer.clockTolerance,
        keySet,
        kubernetes: issuer.kubernetes !== undefined,
        review: null,
      };
    });
    closing.unshift(() => issuers.forEach(({ keySet }) => keySet.close()));

    const credentials = createCredentialSource({
      load: overrides.loadCredentials ?? (() => loadFromProviderChain(options.stsRegion)),
      now,
      onFailure(error) {
        metrics.onFailure('aws_credentials');
        logger.error({ err: error }, 'no AWS credentials');
      },
    });
    const resolveCredentials: ResolveCredentials = () => credentials.resolve();

    const issuance: IssuancePorts = {
      audit,
      newAuditId,
      configHash: loaded.hash,
      authenticate: createVerifyCaller(issuers, config.audit.keepClaims),
      grants: compileGrants(loaded.grants, catalog),
      requireCaBundle: ({ caBundleId }) => void caBundles.get(caBundleId),
      resolveCredentials,
      signAuthToken: overrides.signAuthToken ?? createAuthTokenSigner(),
    };
    let draining = false;
    const service: Service = {
      issuance,
      catalog,
      caBundles,
      rates: config.limits,
      auditors: compileAuditors(loaded.auditors),
      auditReader,
      now,
      onDecision: (...decision) => metrics.onDecision(...decision),
    };
    const publicServer = await createPublicServer({
      current: () => service,
      trustedProxies: config.server.trustedProxies,
      version,
      logger,
      onTransportError: (code) => metrics.onTransportError(code),
    });
    const adminServer = createAdminServer({
      readiness: createReadiness({
        audit,
        resolveCredentials: () => credentials.resolve(),
        issuers,
        requireCaBundle: (id) => caBundles.get(id),
        caBundleIds,
        isDraining: () => draining,
      }),
      metrics,
      logger,
    });
    closing.unshift(() => publicServer.close());
    closing.push(() => adminServer.close());

    return {
      publicServer,
      adminServer,
      drainLimitMs: config.server.drainDelay + DRAIN_LIMIT_MS,
      async listen() {
        const { host, port, adminHost = host, adminPort } = config.server;
        // The admin port first: a probe that comes early gets an answer.
        const adminUrl = await adminServer.listen({
          host: adminHost,
          port: adminPort,
          listenTextResolver: (at) => `admin port at ${at}`,
        });
        const publicUrl = await publicServer.listen({ host, port, listenTextResolver: (at) => `public port at ${at}` });
        return { publicUrl, adminUrl };
      },
      async drain() {
        draining = true;
        if (config.server.drainDelay > 0) await sleep(config.server.drainDelay);
        await closeAll(closing);
      },
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

async function openConfiguredAuditLog(
  { store, instance: configured, checkpointKeyFile, retention, diskReserve, copyToStdout }: Config['audit'],
  metrics: Metrics,
  { logger, printRecords }: AppOptions,
): Promise<AuditLog> {
  const instance = instanceNameOf(configured, hostname());
  const log = await openAuditLog(
    {
      store,
      instance,
      checkpointKeyFile,
      diskReserve,
      retention: retention ?? null,
      copies: copyToStdout && printRecords !== undefined,
    },
    {
      onFault(error) {
        metrics.onFailure('audit_store');
        logger.error({ err: error }, 'the audit store is unavailable');
      },
      onCheckpoint: (checkpoint) => logger.info({ checkpoint }, 'audit checkpoint'),
      onCopies: (lines) => printRecords?.(lines),
      onNotice: (level, text) => logger[level](text),
    },
  );
  logger.info({ instance, verifier_key: log.verifierKey }, 'the audit store is open');
  return log;
}

async function closeAll(closing: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closing) await close();
}

function keySourceOf({ issuer, jwks, caFile }: LoadedConfig['config']['issuers'][number]): KeySource {
  if (jwks === undefined) return { issuer, jwks: { kind: 'discovery' }, caFile };
  if ('url' in jwks) return { issuer, jwks: { kind: 'url', location: jwks.url }, caFile };
  return { issuer, jwks: { kind: 'file', location: jwks.file }, caFile };
}
