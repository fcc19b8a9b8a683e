import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Action } from '../issuance/audit-record.ts';
import { decideOnRecord } from '../issuance/decide-on-record.ts';
import { asFault } from '../issuance/fault.ts';
import { type Refusal, refuse } from '../issuance/refusal.ts';
import { faultProblem, transportProblem } from './problem.ts';
import { requestFacts } from './request-facts.ts';
import { sendFailure, sendProblem } from './send.ts';
import type { CurrentService, Service } from './service.ts';

/** The routes whose every answer has a record. */
const ACTIONS: Readonly<Record<string, Action>> = {
  '/v1/tokens': 'token.issue',
  '/v1/databases': 'database.list',
  '/v1/databases/:database': 'database.get',
  '/v1/whoami': 'caller.get',
  '/v1/audit/events': 'audit.list',
  '/v1/audit/events/:id': 'audit.get',
};

/**
 * What Fastify refuses before a route runs (a body over the limit, an unreadable content type) is a decision like any
 * other and leaves a record. Anything unexpected is our inability: 503, its message in the log only.
 */
export function handleFrameworkErrors(app: FastifyInstance, current: CurrentService): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const refusal = asRefusal(error);
    const action = ACTIONS[request.routeOptions.url ?? ''];
    if (refusal && action) return refuseOnRecord(current(), action, refusal, request, reply);
    if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
      return sendProblem(reply, transportProblem(error.code));
    }
    const fault = asFault(error);
    reply.log.error({ err: fault }, 'a request failed');
    return sendProblem(reply, faultProblem(fault));
  });
}

async function refuseOnRecord(
  service: Service,
  action: Action,
  refusal: Refusal,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const facts = requestFacts(action, request);
  const outcome = await decideOnRecord<never>(service.issuance, facts, service.now(), 'records_success', () =>
    Promise.resolve(refuse(refusal)),
  );
  service.onDecision(action, outcome, reply.elapsedTime);
  return outcome.kind === 'decided' ? reply : sendFailure(reply, outcome);
}

function asRefusal(error: FastifyError): Refusal | undefined {
  if (error.statusCode === 413) return { reason: 'body_too_large', detail: 'the body is over 16 KiB' };
  if (error.statusCode === 415) return { reason: 'media_type_unsupported', detail: 'the content type is unreadable' };
  if (error.statusCode === 400) {
    const problems = [{ field: '', message: 'its length is not what the headers say' }];
    return { reason: 'request_malformed', detail: 'the body is not as long as the headers say', problems };
  }
  return undefined;
}
