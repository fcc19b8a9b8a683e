import type { FastifyReply } from 'fastify';
import type { Outcome } from '../issuance/decide-on-record.ts';
import { faultProblem, type ProblemAnswer, refusalProblem } from './problem.ts';

/** Sends a problem document. */
export function sendProblem(reply: FastifyReply, { problem, headers }: ProblemAnswer): FastifyReply {
  return reply.code(problem.status).headers(headers).type('application/problem+json').send(JSON.stringify(problem));
}

/** Sends a refusal or a fault. */
export function sendFailure(reply: FastifyReply, outcome: Exclude<Outcome<never>, { kind: 'decided' }>): FastifyReply {
  if (outcome.kind === 'refused') return sendProblem(reply, refusalProblem(outcome.refusal, outcome.auditId));
  return sendProblem(reply, faultProblem(outcome.fault, outcome.auditId));
}

/** Milliseconds since the epoch as the API writes instants. */
export function instant(time: number): string {
  return new Date(time).toISOString();
}
