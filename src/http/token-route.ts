import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { refreshAfter } from '../issuance/auth-token.ts';
import { type Issued, issueToken } from '../issuance/issue-token.ts';
import type { Refusal } from '../issuance/refusal.ts';
import type { CaBundle } from '../rds/ca-bundle.ts';
import { encodeForClient, formatFitsClient, uriForClient, whyNeverFits, whyTooLong } from '../rds/clients.ts';
import { type Connection, connectionTo } from '../rds/connection.ts';
import {
  type Format,
  formatFits,
  renderAuthToken,
  whyFormatCannotHold,
  whyFormatTooShort,
} from '../rds/render-auth-token.ts';
import type { Permission } from '../issuance/authorize.ts';
import { bundlePath } from './ca-bundles-route.ts';
import { callerRequestOf } from './caller-request.ts';
import { jsonResponse, problemResponses } from './problem-responses.ts';
import type { RateLimits, Rates } from './rate-limits.ts';
import { readTokenRequest } from './read-token-request.ts';
import { tokenRequestSchema, type TokenResponse, tokenResponseSchema, type WantedToken } from './schemas.ts';
import { instant, sendFailure } from './send.ts';
import { type CurrentService, queryOf } from './service.ts';

const RENDERED = z
  .string()
  .describe(
    'Another `format`, or the bare token; RTV-Audit-Id, RTV-Expires-At, RTV-Refresh-After and RTV-CA-Bundle, the path of the CA bundle on this service, are headers then.',
  );
const AS_JSON = jsonResponse('The token was issued and its record is durable.', tokenResponseSchema);
const ISSUED = { ...AS_JSON, content: { ...AS_JSON.content, 'text/plain': { schema: RENDERED } } };

/** `POST /v1/tokens`: the whole point. */
export function tokenRoute(app: FastifyInstance, current: CurrentService, limits: RateLimits): void {
  const schema = {
    operationId: 'issueToken',
    summary: 'Issue one auth token',
    tags: ['tokens'],
    security: [{ bearer: [] }],
    consumes: ['application/json', 'application/x-www-form-urlencoded'],
    body: tokenRequestSchema.optional(),
    response: { 201: ISSUED, ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503) },
  };
  app.post('/v1/tokens', { schema }, async (request, reply) => {
    const service = current();
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const contentType = request.headers['content-type'];
    const outcome = await issueToken<WantedToken>(
      service.issuance,
      {
        ...callerRequestOf('token.issue', request, service, limits),
        readWanted: () => readTokenRequest({ contentType, bytes, query: queryOf(request) }),
        admitToken: unfitToken,
        admitPermission: async (permission, wanted) =>
          unfitWanted(permission, wanted) ?? (await admitByRates(request, permission, service.rates, limits)),
      },
      service.now(),
    );
    service.onDecision('token.issue', outcome, reply.elapsedTime);
    if (outcome.kind !== 'decided') return sendFailure(reply, outcome);
    const { value, auditId } = outcome;
    const { database, endpoint, user } = value.permission;
    const connection = connectionTo(database, endpoint, user, auditId);
    const format = value.wanted.format ?? (wantsPlainText(request.headers.accept) ? 'token' : 'json');
    reply.code(201).header('cache-control', 'no-store');
    const bundle = service.caBundles.get(database.caBundleId);
    if (format !== 'json') return sendRendered(reply, format, connection, value, { auditId, bundle });
    return reply.send(asResponse(value, connection, bundle, auditId));
  });
}

async function admitByRates(
  request: FastifyRequest,
  { grant, maxTokensPerMinute, database }: Permission,
  rates: Rates,
  limits: RateLimits,
): Promise<Refusal | undefined> {
  if (maxTokensPerMinute !== null) {
    const refusal = await limits.perGrant(request, grant, { max: maxTokensPerMinute, windowMs: 60_000 });
    if (refusal) return refusal;
  }
  return limits.perDatabase(request, database.name, rates.perDatabase);
}

/** What can be said before anything is signed. */
function unfitWanted(permission: Permission, { format = 'json', client }: WantedToken): Refusal | undefined {
  const { database, endpoint, user } = permission;
  const { engine } = database;
  const never = whyNeverFits(client);
  if (never !== undefined) return { reason: 'client_unfit', detail: never };
  if (!formatFits(format, engine) || !formatFitsClient(client, format, engine)) {
    const message = `${format} is not for ${engine}${formatFits(format, engine) ? ` in ${client}` : ''}`;
    return { reason: 'request_malformed', detail: message, problems: [{ field: 'format', message }] };
  }
  const why = whyFormatCannotHold(format, connectionTo(database, endpoint, user, ''));
  return why === undefined ? undefined : { reason: 'client_unfit', detail: why };
}

function unfitToken(token: string, { format = 'json', client }: WantedToken): Refusal | undefined {
  const bytes = Buffer.byteLength(encodeForClient(client, format, token));
  const why = whyTooLong(client, bytes) ?? whyFormatTooShort(format, bytes);
  return why === undefined ? undefined : { reason: 'client_unfit', detail: `the token has ${bytes} bytes; ${why}` };
}

/** Only a client that says text/plain and does not also say JSON gets the bare token. */
function wantsPlainText(accept: string | undefined): boolean {
  const types = accept?.split(',').map((type) => type.split(';')[0]?.trim().toLowerCase()) ?? [];
  return types.includes('text/plain') && !types.includes('application/json');
}

function sendRendered(
  reply: FastifyReply,
  format: Exclude<Format, 'json'>,
  connection: Connection,
  { token, wanted }: Issued<WantedToken>,
  { auditId, bundle }: { readonly auditId: string; readonly bundle: CaBundle },
): FastifyReply {
  const { client } = wanted;
  const encoded = encodeForClient(client, format, token.token);
  const { body, contentType } = renderAuthToken(format, connection, encoded);
  const ownForm = format === 'uri' ? uriForClient(client, connection, encoded) : undefined;
  return reply
    .header('rtv-audit-id', auditId)
    .header('rtv-expires-at', instant(token.expiresAt))
    .header('rtv-refresh-after', instant(refreshAfter(token)))
    .header('rtv-ca-bundle', bundlePath(bundle.id))
    .type(contentType)
    .send(ownForm ?? body);
}

function asResponse(
  { token, wanted }: Issued<WantedToken>,
  connection: Connection,
  bundle: CaBundle,
  auditId: string,
): TokenResponse {
  const encoded = encodeForClient(wanted.client, 'json', token.token);
  return {
    token: encoded,
    issued_at: instant(token.issuedAt),
    expires_at: instant(token.expiresAt),
    expires_in: Math.floor((token.expiresAt - token.issuedAt) / 1000),
    limited_by: token.limitedBy,
    refresh_after: instant(refreshAfter(token)),
    token_bytes: Buffer.byteLength(encoded),
    audit_id: auditId,
    connection,
    ca_bundle: {
      id: bundle.id,
      href: bundlePath(bundle.id),
      source_url: bundle.sourceUrl,
      sha256: bundle.sha256,
      certificates: bundle.certificates.length,
      not_after: instant(bundle.notAfter),
    },
  };
}
