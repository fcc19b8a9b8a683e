import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Metrics } from './metrics.ts';
import { notFoundProblem } from './problem.ts';
import type { Readiness } from './readiness.ts';
import { sendProblem } from './send.ts';
import { SERVER_LIMITS } from './server-limits.ts';

/** Creates the admin port: probes for Kubernetes and metrics for Prometheus. It is not for callers and checks none. */
export function createAdminServer(options: {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>;
  readonly logger: FastifyBaseLogger;
}): FastifyInstance {
  const { readiness, metrics, logger } = options;
  const app = Fastify({
    ...SERVER_LIMITS,
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    done();
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, notFoundProblem()));
  app.get('/livez', (_request, reply) => reply.send({ status: 'live' }));
  app.get('/readyz', async (_request, reply) => {
    const answer = await readiness();
    return reply.code(answer.status === 'ready' ? 200 : 503).send(answer);
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  return app;
}
