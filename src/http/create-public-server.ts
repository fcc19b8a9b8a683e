import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { answerOddMethods } from './answer-odd-methods.ts';
import { auditRoutes } from './audit-routes.ts';
import { caBundleRoutes } from './ca-bundles-route.ts';
import { handleFrameworkErrors } from './handle-framework-errors.ts';
import type { LimitMetrics } from './limit-metrics.ts';
import { shedLoad } from './load-shedding.ts';
import { openApiRoutes } from './openapi-routes.ts';
import { ownRightsRoutes } from './own-rights-routes.ts';
import { clientSetupRoute } from './client-setup-route.ts';
import { notFoundProblem, transportProblem } from './problem.ts';
import { createRateLimits, type RateLimitOptions, type RateLimits } from './rate-limits.ts';
import { sendProblem } from './send.ts';
import { answerClientError, SERVER_LIMITS } from './server-limits.ts';
import type { CurrentService } from './service.ts';
import type { TlsListener } from './tls-listener.ts';
import { tokenRoute } from './token-route.ts';

export type PublicServerOptions = {
  readonly current: CurrentService;
  /** Undefined: the port speaks plain HTTP. */
  readonly tls: TlsListener | undefined;
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Called with Node's error code for each request that never became one. */
  readonly onTransportError: (code: string) => void;
  /** Where requests are counted. */
  readonly limitStore: RateLimitOptions['store'];
  readonly limitMetrics: LimitMetrics;
};

/** A year. */
const HSTS_SECONDS = 31_536_000;

/** Creates the public port: its limits, its routes, and problem documents for everything that goes wrong. */
export async function createPublicServer(options: PublicServerOptions): Promise<FastifyInstance> {
  const { current, tls, version, logger, onTransportError } = options;
  const app = Fastify({
    ...SERVER_LIMITS,
    // With its own server, Fastify reads of `https` only that addresses begin with it.
    ...(tls === undefined ? {} : { serverFactory: tls.createServer, https: {} }),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: (address: string) => current().trustsProxy(address),
    // While draining, requests that are already on their way are still served.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, onTransportError),
    frameworkErrors: (_error, _request, reply) => {
      sendProblem(reply, transportProblem(undefined));
    },
  });
  takeBodiesAsBytes(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    // Whoever terminates TLS decides on HSTS. Names below ours are not ours to decide on.
    strictTransportSecurity: tls !== undefined && { maxAge: HSTS_SECONDS, includeSubDomains: false },
    // Certificates and the contract are public; tokens are protected by the bearer, not by the origin.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  if (tls !== undefined) endOutdatedConnections(app, tls);
  handleFrameworkErrors(app, current);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, notFoundProblem()));
  const finishMethods = answerOddMethods(app);

  await openApiRoutes(app, version);
  const limits = await createLimits(app, options);
  tokenRoute(app, current, limits);
  ownRightsRoutes(app, current, limits);
  clientSetupRoute(app, current, limits);
  auditRoutes(app, current, limits);
  caBundleRoutes(app, () => current().caBundles);
  finishMethods();
  return app;
}

async function createLimits(
  app: FastifyInstance,
  { current, limitStore, limitMetrics, logger }: PublicServerOptions,
): Promise<RateLimits> {
  const limits = await createRateLimits(app, {
    store: limitStore,
    storeEvents: {
      onFailure: limitMetrics.onStoreFailure,
      onChange(problem) {
        limitMetrics.onStore(problem === null);
        if (problem === null) logger.info('the rate limit store counts');
        else logger.warn({ problem }, 'the rate limit store cannot be asked');
      },
    },
    now: () => current().now(),
  });
  const { inFlight } = shedLoad(app, { current, senders: limits.senders, onShed: limitMetrics.onShed });
  limitMetrics.watchInFlight(inFlight);
  return limits;
}

/** Their next answer is their last: the client connects again, and proves a certificate that is good now. */
function endOutdatedConnections(app: FastifyInstance, tls: TlsListener): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (tls.isOutdated(request.raw.socket)) reply.header('connection', 'close');
    done();
  });
}

/**
 * Any content type is read as bytes and judged by the route, after the caller is known; Fastify's schema validation is
 * off, because odd content types have led around it before. Answers are shaped by the routes' types.
 */
function takeBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
}
