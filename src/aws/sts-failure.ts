import type { Fault } from '../issuance/fault.ts';

/** Why STS gave no session. Stable words: they are labels of a metric. */
export type StsFailure =
  | 'throttled'
  | 'unreachable'
  | 'server_error'
  | 'region_disabled'
  | 'denied'
  | 'jwt_rejected'
  | 'issuer_unreachable'
  | 'request_rejected'
  | 'odd_answer';

/** Failures that every session of the role would meet: the role is left alone for a while. */
const OF_THE_ROLE: ReadonlySet<StsFailure> = new Set(['throttled', 'unreachable', 'server_error', 'region_disabled']);

/** STS was asked, and this came of it. */
export class StsError extends Error {
  readonly failure: StsFailure;
  /** STS's own error code, such as `AccessDenied`; null where there was no answer. */
  readonly code: string | null;
  /** Whether there was no answer in time. */
  readonly timedOut: boolean;

  constructor(failure: StsFailure, code: string | null, cause: unknown, timedOut = false) {
    super(`STS: ${WORDS[failure]}${code === null ? '' : ` (${code})`}`, { cause });
    this.name = 'StsError';
    this.failure = failure;
    this.code = code;
    this.timedOut = timedOut;
  }

  get concernsRole(): boolean {
    return OF_THE_ROLE.has(this.failure);
  }

  /** Whether every JWT of the issuer would meet it, and those of others would not. */
  get concernsIssuer(): boolean {
    return this.failure === 'issuer_unreachable';
  }
}

const WORDS: Readonly<Record<StsFailure, string>> = {
  throttled: 'it throttles requests',
  unreachable: 'it cannot be reached',
  server_error: 'it failed',
  region_disabled: 'it is not active in this region for the account',
  denied: 'it does not allow this',
  jwt_rejected: "it does not accept the caller's JWT",
  issuer_unreachable: "it cannot reach the issuer of the caller's JWT",
  request_rejected: 'it does not accept the request',
  odd_answer: 'its answer is not what was asked for',
};

/** By STS's codes. The SDK's names of some have `Exception` behind them. */
const BY_CODE: ReadonlyMap<string, StsFailure> = new Map(
  Object.entries<StsFailure>({
    AccessDenied: 'denied',
    // Of a JWT; the keys that sign a call are `ExpiredToken`.
    ExpiredTokenException: 'jwt_rejected',
    InvalidIdentityToken: 'jwt_rejected',
    IDPRejectedClaim: 'jwt_rejected',
    IDPCommunicationError: 'issuer_unreachable',
    RegionDisabled: 'region_disabled',
    Throttling: 'throttled',
    RequestLimitExceeded: 'throttled',
    TooManyRequests: 'throttled',
  }),
);

/** Reads an error of the SDK. Its message may quote anything, so it stays in `cause`. */
export function asStsError(error: unknown): StsError {
  if (error instanceof StsError) return error;
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  // Without an answer the name is one of Node's or the SDK's.
  if (status === undefined) return new StsError('unreachable', null, error, isTimeout(error));
  // A success that could not be read: what says why may quote the session's keys.
  if (status < 400) return new StsError('odd_answer', null, undefined);
  const code = /^[A-Za-z.]{1,64}$/.test(name) ? name : null;
  const known = BY_CODE.get(name) ?? BY_CODE.get(name.replace(/Exception$/, ''));
  return new StsError(known ?? byStatus(status), code, error);
}

/**
 * Whether STS was asked and gave no answer in time, as the abort signal and the SDK's handler say it. The handler calls a
 * connection that is reset, or was never made, a `TimeoutError` too: those have Node's `syscall`, or no code.
 */
function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'AbortError') return true;
  return error.name === 'TimeoutError' && 'code' in error && error.code === 'ETIMEDOUT' && !('syscall' in error);
}

function byStatus(status: number): StsFailure {
  if (status === 429) return 'throttled';
  if (status >= 500) return 'server_error';
  if (status === 403) return 'denied';
  return 'request_rejected';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  const { httpStatusCode: status } = metadata;
  return typeof status === 'number' ? status : undefined;
}

/** The failure behind a fault, for the log. */
export function stsFailureOf({ cause }: Fault): StsFailure | null {
  return cause instanceof StsError ? cause.failure : null;
}
