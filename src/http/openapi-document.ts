import { jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';

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
      { name: 'audit', description: 'Reading audit records. For auditors only; each reading has a record of its own.' },
      { name: 'CA bundles', description: 'The CA certificates to trust. Public.' },
    ],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

type Transform = typeof jsonSchemaTransformObject;

/**
 * fastify-type-provider-zod writes each schema twice, for input and output: only those that are referred to stay, and
 * an input without its twin gets its plain name. It also calls every body required; ours never is.
 */
export function withoutInputTwins(document: Parameters<Transform>[0]): ReturnType<Transform> {
  const whole = jsonSchemaTransformObject(document);
  if (!('openapi' in whole) || whole.components?.schemas === undefined) return whole;
  const schemas: Readonly<Record<string, unknown>> = whole.components.schemas;
  const used = referredSchemas(whole.paths, schemas);
  const kept = Object.fromEntries([...used].sort().map((name) => [name, schemas[name]]));
  const text = JSON.stringify({ ...whole, components: { ...whole.components, schemas: kept } });
  const lone = [...used].filter((name) => name.endsWith('Input') && !used.has(plainName(name)));
  return JSON.parse(
    lone
      .reduce((renamed, name) => renamed.replaceAll(JSON.stringify(name), JSON.stringify(plainName(name))), text)
      .replaceAll(/#\/components\/schemas\/(\w+)/g, (ref, name) =>
        lone.includes(name) ? ref.replace(/Input$/, '') : ref,
      )
      .replaceAll('"requestBody":{"required":true', '"requestBody":{"required":false'),
  );
}

function plainName(name: string): string {
  return name.replace(/Input$/, '');
}

/** The names that the paths refer to, and what those refer to in turn. */
function referredSchemas(paths: unknown, schemas: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const used = new Set<string>();
  const open: unknown[] = [paths];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      open.push(schemas[name]);
    }
  }
  return used;
}
