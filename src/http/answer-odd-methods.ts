import type { FastifyInstance, HTTPMethods } from 'fastify';
import { methodNotAllowedProblem } from './problem.ts';
import { sendProblem } from './send.ts';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Notes the routes that are added from here on; the function it returns answers 405 and `Allow` (RFC 9110 §15.5.6) for
 * every method that a noted address does not have.
 */
export function answerOddMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, known);
    for (const one of [method].flat()) known.add(one);
  });
  return () => {
    for (const [url, known] of [...methodsOf]) {
      if (!url.startsWith('/v1/') && url !== '/openapi.json') continue;
      const allowed = [...known].sort();
      const method = METHODS.filter((one) => !known.has(one));
      app.route({
        url,
        method,
        schema: { hide: true },
        handler: (_request, reply) => sendProblem(reply, methodNotAllowedProblem(allowed)),
      });
    }
  };
}
