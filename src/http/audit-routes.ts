import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { type AuditPorts, readAuditPage, readAuditRecord } from '../issuance/read-audit.ts';
import { accept } from '../issuance/refusal.ts';
import { renderAuditPage } from './audit-renderings.ts';
import { auditEventSchema, auditEventsSchema, auditQuerySchema } from './audit-schemas.ts';
import { callerRequestOf } from './caller-request.ts';
import { jsonResponse, problemResponses } from './problem-responses.ts';
import type { RateLimits } from './rate-limits.ts';
import { nextLink, readAuditQuery, readNoQuery } from './read-audit-query.ts';
import { sendFailure } from './send.ts';
import { type CurrentService, queryOf, type Service } from './service.ts';

const COMMON = { tags: ['audit'], security: [{ bearer: [] }] };
const FAILURES = problemResponses(400, 401, 403, 429, 503);

const AS_JSON = jsonResponse(
  'A page of records, newest first. `Link` has the next page; `RTV-Audit-Id` is the record of this reading.',
  auditEventsSchema,
);
const AS_NDJSON = z.string().describe('One record a line. `RTV-Next-Cursor` and `Link` have the next page.');
const AS_CSV = z
  .string()
  .describe(
    'RFC 4180 with a header line. An apostrophe stands before what a spreadsheet would run as a formula. ' +
      '`RTV-Next-Cursor` and `Link` have the next page.',
  );
const PAGE = {
  ...AS_JSON,
  content: { ...AS_JSON.content, 'application/x-ndjson': { schema: AS_NDJSON }, 'text/csv': { schema: AS_CSV } },
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `GET /v1/audit/events` and `/v1/audit/events/{id}`: who asked for what, for those whom `auditors` names. */
export function auditRoutes(app: FastifyInstance, current: CurrentService, limits: RateLimits): void {
  const list = {
    ...COMMON,
    operationId: 'listAuditEvents',
    summary: 'Audit records, newest first',
    querystring: auditQuerySchema,
    response: { 200: PAGE, ...FAILURES },
  };
  app.get('/v1/audit/events', { schema: list }, async (request, reply) => {
    const service = current();
    // Reading the query decides nothing; what is wrong with it is told to auditors only.
    const read = readAuditQuery(queryOf(request), request.headers.accept);
    const action = read.ok && read.value.format !== 'json' ? 'audit.export' : 'audit.list';
    const outcome = await readAuditPage(
      portsOf(service),
      {
        ...callerRequestOf(action, request, service, limits),
        readWanted: () => read,
      },
      service.now(),
    );
    service.onDecision(action, outcome, reply.elapsedTime);
    if (outcome.kind !== 'decided') return sendFailure(reply, outcome);
    const { wanted, page } = outcome.value;
    const { contentType, body } = await renderAuditPage(page, wanted.format);
    if (page.next !== null) reply.header('link', nextLink(wanted, page.next));
    if (page.next !== null && wanted.format !== 'json') reply.header('rtv-next-cursor', page.next);
    return sendRecords(reply, contentType, body, outcome.auditId);
  });

  const get = {
    ...COMMON,
    operationId: 'getAuditEvent',
    summary: 'One audit record',
    params: z.strictObject({ id: z.uuid().describe('The `audit_id` of an answer.') }),
    response: { 200: jsonResponse('The record.', auditEventSchema), ...FAILURES, ...problemResponses(404) },
  };
  app.get<{ Params: { id: string } }>('/v1/audit/events/:id', { schema: get }, async (request, reply) => {
    const service = current();
    const id = request.params.id.toLowerCase();
    const outcome = await readAuditRecord(
      portsOf(service),
      {
        ...callerRequestOf('audit.get', request, service, limits),
        readWanted: () => {
          const query = readNoQuery(queryOf(request));
          return query.ok ? accept({ id: UUID.test(id) ? id : null, detail: JSON.stringify({ id }) }) : query;
        },
      },
      service.now(),
    );
    service.onDecision('audit.get', outcome, reply.elapsedTime);
    if (outcome.kind !== 'decided') return sendFailure(reply, outcome);
    return sendRecords(reply, 'application/json', outcome.value, outcome.auditId);
  });
}

function portsOf({ issuance, auditors, auditReader }: Service): AuditPorts {
  return { ...issuance, auditors, auditReader };
}

function sendRecords(reply: FastifyReply, contentType: string, body: string, auditId: string): FastifyReply {
  return reply.header('cache-control', 'no-store').header('rtv-audit-id', auditId).type(contentType).send(body);
}
