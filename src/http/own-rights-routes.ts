import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Action } from '../issuance/audit-record.ts';
import { type Permission, permissionsOf } from '../issuance/authorize.ts';
import type { Caller } from '../issuance/caller.ts';
import type { Circumstances } from '../issuance/circumstances.ts';
import type { Grants } from '../issuance/grants.ts';
import { readOwnRights } from '../issuance/read-own-rights.ts';
import { accept, type Decided, refuse } from '../issuance/refusal.ts';
import { bundlePath } from './ca-bundles-route.ts';
import { callerRequestOf } from './caller-request.ts';
import { jsonResponse, problemResponses } from './problem-responses.ts';
import type { RateLimits } from './rate-limits.ts';
import { type DatabaseFacts, databaseSchema, databasesSchema, whoamiSchema } from './schemas.ts';
import { instant, sendFailure } from './send.ts';
import type { CurrentService } from './service.ts';

const COMMON = { tags: ['callers'], security: [{ bearer: [] }] };
const FAILURES = problemResponses(400, 401, 429, 503);

/** `GET /v1/databases`, `/v1/databases/{database}` and `/v1/whoami`: what a caller may know of itself. */
export function ownRightsRoutes(app: FastifyInstance, current: CurrentService, limits: RateLimits): void {
  const list = { ...COMMON, operationId: 'listDatabases', summary: 'The databases and users this caller may ask for' };
  app.get(
    '/v1/databases',
    { schema: { ...list, response: { 200: jsonResponse('The databases.', databasesSchema), ...FAILURES } } },
    (request, reply) =>
      respond('database.list', request, reply, (caller, circumstances, grants) =>
        accept({ databases: describeDatabases(permissionsOf(caller, grants, circumstances)) }),
      ),
  );

  const get = { ...COMMON, operationId: 'getDatabase', summary: 'Connection facts of one database' };
  app.get<{ Params: { database: string } }>(
    '/v1/databases/:database',
    {
      schema: {
        ...get,
        response: { 200: jsonResponse('The database.', databaseSchema), ...FAILURES, ...problemResponses(403) },
      },
    },
    (request, reply) =>
      respond('database.get', request, reply, (caller, circumstances, grants) => {
        const { database } = request.params;
        const [facts] = describeDatabases(permissionsOf(caller, grants, circumstances, { database }));
        return facts
          ? accept(facts)
          : refuse({ reason: 'not_granted', detail: `no grant on ${JSON.stringify(database)}` });
      }),
  );

  const whoami = { ...COMMON, operationId: 'whoami', summary: 'The caller as the service sees it' };
  app.get(
    '/v1/whoami',
    { schema: { ...whoami, response: { 200: jsonResponse('The caller.', whoamiSchema), ...FAILURES } } },
    (request, reply) =>
      respond('caller.get', request, reply, (caller, circumstances, grants) =>
        accept(describeCaller(caller, circumstances, grants)),
      ),
  );

  async function respond<T>(
    action: Action,
    request: FastifyRequest,
    reply: FastifyReply,
    read: (caller: Caller, circumstances: Circumstances, grants: Grants) => Decided<T>,
  ): Promise<FastifyReply> {
    const service = current();
    const outcome = await readOwnRights(
      service.issuance,
      callerRequestOf(action, request, service, limits),
      service.now(),
      (caller, circumstances) => read(caller, circumstances, service.issuance.grants),
    );
    service.onDecision(action, outcome, reply.elapsedTime);
    if (outcome.kind !== 'decided') return sendFailure(reply, outcome);
    return reply.header('cache-control', 'no-store').send(outcome.value);
  }
}

/** Grants that deny, and those that only observe, are the operator's business. */
function describeCaller(caller: Caller, circumstances: Circumstances, grants: Grants) {
  const { issuer, subject, expiresAt } = caller;
  const giving = grants.matching(caller, circumstances).filter((grant) => grant.enforced && grant.denials.length === 0);
  return { issuer, subject, expires_at: instant(expiresAt), grants: giving.map(({ name }) => name) };
}

function describeDatabases(permissions: readonly Permission[]): DatabaseFacts[] {
  const found = new Map<string, DatabaseFacts>();
  for (const { database, endpoint, user } of permissions) {
    const { name, engine, region, databaseName, caBundleId } = database;
    const facts = found.get(name) ?? {
      name,
      engine,
      region,
      database: databaseName,
      sslmode: 'verify-full' as const,
      endpoints: {},
      ca_bundle: { id: caBundleId, href: bundlePath(caBundleId) },
    };
    found.set(name, facts);
    facts.endpoints[endpoint.name] ??= { host: endpoint.connectHost, port: endpoint.connectPort, users: [] };
    facts.endpoints[endpoint.name]?.users.push(user);
  }
  return [...found.values()];
}
