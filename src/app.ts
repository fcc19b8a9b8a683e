import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from './app/app-options.ts';
import { createCaBundlePool } from './app/ca-bundle-pool.ts';
import { createConfigStatus } from './app/config-status.ts';
import { createIssuerPool } from './app/issuer-pool.ts';
import { createFaultLog } from './app/fault-log.ts';
import { openAwsCredentials } from './app/open-aws.ts';
import { openConfiguredAuditLog } from './app/open-audit.ts';
import { createRunningConfig } from './app/running-config.ts';
import { type Permanent, stageConfig } from './app/stage-config.ts';
import { openAuditReader } from './audit/open-audit-reader.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { createAdminServer } from './http/create-admin-server.ts';
import { createPublicServer } from './http/create-public-server.ts';
import { createMetrics } from './http/metrics.ts';
import { createReadiness } from './http/readiness.ts';
import { createTlsListener } from './http/tls-listener.ts';
import { tlsContextOf } from './http/tls-options.ts';
import { newAuditId } from './issuance/audit-id.ts';
import { createKeySetLoader } from './jwt/load-key-set.ts';
import { createAuthTokenSigner } from './rds/sign-auth-token.ts';

export type App = {
  readonly publicServer: FastifyInstance;
  readonly adminServer: FastifyInstance;
  /** Opens both ports; gives their addresses. */
  listen(): Promise<{ readonly publicUrl: string; readonly adminUrl: string }>;
  /**
   * Puts another configuration in force for every request that begins from then on. Gives false when it is refused as a
   * whole: the one in force stays, and the log, the metrics and `/readyz` say why.
   *
   * @param files those that changed, for the log
   */
  reload(next: LoadedConfig, files?: readonly string[]): Promise<boolean>;
  /** Says the same of a change that could not be loaded. `problems` are sentences, at least one. */
  keepConfig(problems: readonly string[]): void;
  /** Says that the files hold what is in force, so that an earlier complaint is over. */
  confirmConfig(): void;
  /** Readiness off, the configured delay, requests under way, records flushed, everything closed. */
  drain(): Promise<void>;
  /** How long `drain` may take now, milliseconds. */
  drainLimitMs(): number;
};

/** Requests end within their own 10 s; then records are flushed. */
const DRAIN_LIMIT_MS = 30_000;

/**
 * Composes the service from a checked configuration. This file and src/app are the only place that knows every part.
 *
 * @throws {Error} when the audit store cannot be opened or a CA bundle in use is missing
 */
export async function buildApp(loaded: LoadedConfig, options: AppOptions): Promise<App> {
  const { logger, version, overrides = {} } = options;
  const now = overrides.now ?? Date.now;
  const metrics = createMetrics();

  const audit = overrides.audit ?? (await openConfiguredAuditLog(loaded.config.audit, metrics, options));
  const auditReader = overrides.auditReader ?? openAuditReader(loaded.config.audit.store);
  const closing: (() => Promise<void> | void)[] = [() => auditReader.close(), () => audit.close()];
  try {
    const caBundles = createCaBundlePool({
      now,
      onEvent(event) {
        if (event.type === 'ca_bundle_failed') metrics.onFailure('ca_bundle');
        logger[event.type === 'ca_bundle_failed' ? 'warn' : 'info'](event, 'CA bundle');
      },
    });
    closing.unshift(() => caBundles.close());

    const { loadKeySet } = overrides;
    const issuers = createIssuerPool({
      loaderFor: (source) => (loadKeySet === undefined ? createKeySetLoader(source) : () => loadKeySet(source)),
      inCluster: options.inClusterApiServer,
      now,
      onEvent(event) {
        if (event.type === 'keys_failed') metrics.onFailure('issuer_keys');
        const level = event.type === 'keys_failed' || event.rejected.length > 0 ? 'warn' : 'info';
        logger[level](event, 'issuer keys');
      },
    });
    closing.unshift(() => issuers.close());

    const aws = openAwsCredentials(loaded.config, metrics, options);
    closing.unshift(() => aws.close());

    const { tls: tlsFiles } = loaded.config.server;
    const tls =
      tlsFiles &&
      createTlsListener({
        context: tlsContextOf(tlsFiles, now()),
        now,
        onTransportError: metrics.onTransportError,
        onHandshakeFailed: (reason, address) =>
          logger.info({ reason, client_address: address }, 'TLS handshake failed'),
      });
    const logFault = createFaultLog(logger, now);
    const permanent: Permanent = {
      issuance: {
        audit,
        newAuditId,
        signAuthToken: overrides.signAuthToken ?? createAuthTokenSigner(),
      },
      issuers,
      aws,
      caBundles,
      auditReader,
      now,
      onDecision(action, outcome, milliseconds) {
        metrics.onDecision(action, outcome, milliseconds);
        logFault(outcome);
      },
      tls,
    };
    const status = createConfigStatus(loaded.hash, metrics, logger);
    const running = await createRunningConfig(loaded, (next) => stageConfig(next, permanent), status);

    const publicServer = await createPublicServer({
      current: () => running.current().service,
      tls,
      limitStore: loaded.config.limits.store,
      limitMetrics: metrics,
      version,
      logger,
      onTransportError: (code) => metrics.onTransportError(code),
    });
    let draining = false;
    const adminServer = createAdminServer({
      readiness: createReadiness({
        audit,
        aws: () => aws.readiness(),
        current: () => running.current(),
        configuration: () => status.describe(),
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
      reload: (next, files) => running.reload(next, files),
      keepConfig: (problems) => status.refused(problems),
      confirmConfig: () => status.confirmed(),
      drainLimitMs: () => running.current().loaded.config.server.drainDelay + DRAIN_LIMIT_MS,
      async listen() {
        const { host, port, adminHost = host, adminPort } = running.current().loaded.config.server;
        // The admin port first: a probe that comes early gets an answer.
        const adminUrl = await adminServer.listen({
          host: adminHost,
          port: adminPort,
          listenTextResolver: (at) => `admin port at ${at}`,
        });
        const publicUrl = await publicServer.listen({ host, port, listenTextResolver: (at) => `public port at ${at}` });
        aws.start();
        return { publicUrl, adminUrl };
      },
      async drain() {
        draining = true;
        await running.close();
        const { drainDelay } = running.current().loaded.config.server;
        if (drainDelay > 0) await sleep(drainDelay);
        await closeAll(closing);
      },
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

async function closeAll(closing: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closing) await close();
}
