import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CaBundle, CaBundles } from '../rds/ca-bundle.ts';
import { notFoundProblem } from './problem.ts';
import { jsonResponse, problemResponses } from './problem-responses.ts';
import { type CaBundleFacts, caBundleSchema, caBundlesSchema } from './schemas.ts';
import { instant, sendProblem } from './send.ts';

/** Certificates are public and change rarely; the ETag answers the rest. */
const CACHE_CONTROL = 'public, max-age=3600';

/** The path of a bundle's PEM on this service. */
export function bundlePath(id: string): string {
  return `/v1/ca-bundles/${id}.pem`;
}

/** `GET /v1/ca-bundles…`: which CAs to trust. Public, like the certificates themselves. */
export function caBundleRoutes(app: FastifyInstance, current: () => CaBundles): void {
  const common = { tags: ['CA bundles'], security: [] };
  const list = {
    ...common,
    operationId: 'listCaBundles',
    summary: 'All CA bundles',
    response: { 200: jsonResponse('The bundles in force.', caBundlesSchema) },
  };
  app.get('/v1/ca-bundles', { schema: list }, (_request, reply) =>
    reply.header('cache-control', CACHE_CONTROL).send({ ca_bundles: current().list().map(describeBundle) }),
  );

  const pemResponse = {
    description: 'PEM certificates.',
    content: { 'application/x-pem-file': { schema: z.string() } },
  };
  const pem = {
    ...common,
    operationId: 'getCaBundlePem',
    summary: 'The certificates of a CA bundle',
    response: { 200: pemResponse, ...problemResponses(404) },
  };
  app.get<{ Params: { id: string } }>('/v1/ca-bundles/:id.pem', { schema: pem }, (request, reply) => {
    const bundle = current().find(request.params.id);
    if (!bundle) return sendProblem(reply, notFoundProblem(missing(request.params.id)));
    const etag = `"${bundle.sha256}"`;
    reply.header('cache-control', CACHE_CONTROL).header('etag', etag);
    if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
    return reply.type('application/x-pem-file').send(bundle.pem);
  });

  const get = {
    ...common,
    operationId: 'getCaBundle',
    summary: 'One CA bundle',
    response: { 200: jsonResponse('The bundle.', caBundleSchema), ...problemResponses(404) },
  };
  app.get<{ Params: { id: string } }>('/v1/ca-bundles/:id', { schema: get }, (request, reply) => {
    const bundle = current().find(request.params.id);
    if (!bundle) return sendProblem(reply, notFoundProblem(missing(request.params.id)));
    return reply.header('cache-control', CACHE_CONTROL).send(describeBundle(bundle));
  });
}

function missing(id: string): string {
  const shown = /^[a-z0-9-]{1,40}$/.test(id) ? `named ${id}` : 'of that name';
  return `There is no CA bundle ${shown} here. The operator can add one as a file, or switch caBundles.refresh on.`;
}

function matches(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}

function describeBundle(bundle: CaBundle): CaBundleFacts {
  return {
    id: bundle.id,
    href: bundlePath(bundle.id),
    origin: bundle.origin,
    source_url: bundle.sourceUrl,
    sha256: bundle.sha256,
    not_after: instant(bundle.notAfter),
    certificates: bundle.certificates.map((certificate) => ({
      subject: certificate.subject,
      ca_id: certificate.caId,
      sha256: certificate.sha256,
      sha1: certificate.sha1,
      not_before: instant(certificate.notBefore),
      not_after: instant(certificate.notAfter),
    })),
  };
}
