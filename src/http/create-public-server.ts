import helmet from '@fastify/helmet';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { answerOddMethods } from './answer-odd-methods.ts';
import { auditRoutes } from './audit-routes.ts';
import { caBundleRoutes } from './ca-bundles-route.ts';
import { handleFrameworkErrors } from './handle-framework-errors.ts';
import { openApiRoutes } from './openapi-routes.ts';
import { ownRightsRoutes } from './own-rights-routes.ts';
import { notFoundProblem, transportProblem } from './problem.ts';
import { createRateLimits } from './rate-limits.ts';
import { sendProblem } from './send.ts';
import { answerClientError, SERVER_LIMITS } from './server-limits.ts';
import type { CurrentService } from './service.ts';
import { tokenRoute } from './token-route.ts';

export type PublicServerOptions = {
  readonly current: CurrentService;
  /** Addresses and CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Called with Node's error code for each request that never became one. */
  readonly onTransportError: (code: string) => void;
};

/** Creates the public port: its limits, its routes, and problem documents for everything that goes wrong. */
export async function createPublicServer(options: PublicServerOptions): Promise<FastifyInstance> {
  const { current, trustedProxies, version, logger, onTransportError } = options;
  const app = Fastify({
    ...SERVER_LIMITS,
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
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
    // Whoever terminates TLS decides on HSTS.
    strictTransportSecurity: false,
    // Certificates and the contract are public; tokens are protected by the bearer, not by the origin.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  handleFrameworkErrors(app, current);
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, notFoundProblem()));
  const finishMethods = answerOddMethods(app);

  await openApiRoutes(app, version);
  const limits = await createRateLimits(app);
  tokenRoute(app, current, limits);
  ownRightsRoutes(app, current, limits);
  auditRoutes(app, current, limits);
  caBundleRoutes(app, () => current().caBundles);
  finishMethods();
  return app;
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
