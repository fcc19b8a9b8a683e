import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { IssuancePorts } from '../issuance/issue-token.ts';
import type { Outcome } from '../issuance/decide-on-record.ts';
import type { Action } from '../issuance/audit-record.ts';
import type { AuditReader } from '../issuance/audit-query.ts';
import type { Auditors } from '../issuance/auditors.ts';
import type { CaBundles } from '../rds/ca-bundle.ts';
import type { Database } from '../issuance/database.ts';
import type { ShedLimits } from './load-shedding.ts';
import type { Rates } from './rate-limits.ts';

/**
 * What one request is decided with. A reload replaces all of it at once, so whoever handles a request takes it once, at
 * the beginning, and never mixes two configurations.
 */
export type Service = {
  readonly issuance: IssuancePorts;
  readonly catalog: ReadonlyMap<string, Database>;
  readonly rates: Rates & ShedLimits;
  readonly caBundles: CaBundles;
  /** Who may read the audit, and from where. */
  readonly auditors: Auditors;
  readonly auditReader: AuditReader;
  /** Whether the `X-Forwarded-For` that comes from an address is believed. */
  readonly trustsProxy: (address: string) => boolean;
  /** SHA-256 of the client certificate that TLS verified on a connection, base64url; null without one. */
  readonly thumbprintOf: (socket: Socket) => string | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Counts one decision and the time it took, for `/metrics`. */
  readonly onDecision: (action: Action, outcome: Outcome<unknown>, milliseconds: number) => void;
};

/** The service in force. */
export type CurrentService = () => Service;

/** The rate-limit key of a caller: unambiguous whatever the subject holds. */
export function callerKey(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject]);
}

/** The query string as sent, without the question mark. */
export function queryOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?');
  return at === -1 ? '' : request.url.slice(at + 1);
}
