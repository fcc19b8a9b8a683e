import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { openApiDocument, withoutInputTwins } from './openapi-document.ts';

/** `GET /openapi.json` and `/docs`: the contract, and a reference page that loads nothing from elsewhere. */
export async function openApiRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: openApiDocument(version),
    transform: jsonSchemaTransform,
    transformObject: withoutInputTwins,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    transformStaticCSP: strict,
    uiConfig: { url: '/openapi.json', deepLinking: true, validatorUrl: null, tryItOutEnabled: false },
  });
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(app.swagger()),
  );
}

/**
 * The plugin's policy with what a page that loads only its own files does not need taken away. `upgrade-insecure-requests`
 * would break the page where the service is reached without TLS.
 */
function strict(policy: string): string {
  return policy
    .replace("default-src 'self'", "default-src 'none'; connect-src 'self'")
    .replaceAll(' https:', '')
    .replace(' validator.swagger.io', '')
    .replace("frame-ancestors 'self'", "frame-ancestors 'none'")
    .replace(' upgrade-insecure-requests;', '');
}
