import { jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3, OpenAPIV3_1 } from 'openapi-types';

/** The parts of the contract that no route says. */
export function openApiDocument(version: string): Partial<OpenAPIV3_1.Document> {
  return {
    openapi: '3.1.1',
    info: {
      title: 'rds-token-vendor',
      version,
      description:
        'Vends Amazon RDS and Aurora IAM database auth tokens to callers that hold a JWT of a configured issuer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'tokens', description: 'Issuing auth tokens.' },
      { name: 'callers', description: 'What a caller may know of itself.' },
      { name: 'CA bundles', description: 'The CA certificates to trust. Public.' },
    ],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

type Transform = typeof jsonSchemaTransformObject;

/** fastify-type-provider-zod writes each schema twice, for input and output; only those that are referred to stay. */
export function withoutInputTwins(document: Parameters<Transform>[0]): ReturnType<Transform> {
  const whole = jsonSchemaTransformObject(document);
  if (!('openapi' in whole) || whole.components?.schemas === undefined) return whole;
  const used = referredSchemas(whole.paths, whole.components.schemas);
  const schemas: Record<string, unknown> = {};
  for (const name of Object.keys(whole.components.schemas).sort()) {
    if (used.has(name)) schemas[name] = Reflect.get(whole.components.schemas, name);
  }
  return { ...whole, components: { ...whole.components, schemas } } as typeof whole;
}

/** The names that the paths refer to, and what those refer to in turn. */
function referredSchemas(paths: unknown, schemas: object): ReadonlySet<string> {
  const used = new Set<string>();
  const open: unknown[] = [paths];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      open.push(Reflect.get(schemas, name));
    }
  }
  return used;
}

export type OpenApiDocument = OpenAPIV3.Document | OpenAPIV3_1.Document;
