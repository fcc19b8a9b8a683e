import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Action, RequestFacts } from '../issuance/audit-record.ts';
import type { Credentials } from '../issuance/authenticate-caller.ts';
import type { Service } from './service.ts';

const MAX_USER_AGENT = 256;
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

/** What the record says of a request before anything of it is believed: cut to size, without control characters. */
export function requestFacts(action: Action, request: FastifyRequest): RequestFacts {
  const requestId = request.headers['x-request-id'];
  return {
    action,
    clientAddress: clientAddressOf(request),
    userAgent: plain(request.headers['user-agent']),
    traceId: traceIdOf(request.headers['traceparent']),
    requestId: typeof requestId === 'string' && REQUEST_ID.test(requestId) ? requestId : null,
  };
}

/**
 * What a request came with to say who sends it. Headers in which proxies name a client's certificate (`X-Client-Cert`,
 * `X-Forwarded-Client-Cert`, RFC 9440's `Client-Cert`) are not read: any client can write one.
 */
export function credentialsOf(request: FastifyRequest, thumbprintOf: Service['thumbprintOf']): Credentials {
  return { authorization: authorizationValues(request), certificateThumbprint: thumbprintOf(request.raw.socket) };
}

/** The client's IP address; null where a trusted proxy passed on what a client wrote into X-Forwarded-For. */
export function clientAddressOf(request: FastifyRequest): string | null {
  return isIP(request.ip) === 0 ? null : request.ip;
}

/** Every Authorization value as sent: Node keeps only the first of several in `headers`. */
function authorizationValues(request: FastifyRequest): string[] {
  const { rawHeaders } = request.raw;
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization');
}

/** W3C Trace Context: `VERSION-TRACE-PARENT-FLAGS`, and all zeros is none. */
function traceIdOf(header: string | string[] | undefined): string | null {
  const traceId = typeof header === 'string' ? TRACE_PARENT.exec(header)?.[1] : undefined;
  return traceId === undefined || /^0+$/.test(traceId) ? null : traceId;
}

function plain(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, MAX_USER_AGENT).replaceAll(/\p{Cc}/gu, '?');
}
