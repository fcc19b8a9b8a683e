import type { FastifyBaseLogger } from 'fastify';
import type { Outcome } from '../issuance/decide-on-record.ts';

/** Faults of one code in a second that each have a line of their own. */
const INDIVIDUALLY = 10;
const SECOND = 1000;

type Second = { readonly began: number; logged: number; omitted: number };

/**
 * Makes the function that logs why decisions failed; the record already says so. Whoever makes up key ids can cause
 * faults as fast as it sends, so of each code only the first of a second are written, and how many there were more.
 *
 * @param now milliseconds since the epoch
 */
export function createFaultLog(logger: FastifyBaseLogger, now: () => number): (outcome: Outcome<unknown>) => void {
  const seconds = new Map<string, Second>();

  function secondOf(code: string): Second {
    const time = now();
    const known = seconds.get(code);
    // A clock that was put back begins anew.
    if (known && time >= known.began && time < known.began + SECOND) return known;
    if (known) tellOmitted(code, known);
    const begun = { began: time, logged: 0, omitted: 0 };
    seconds.set(code, begun);
    return begun;
  }

  function tellOmitted(code: string, second: Second): void {
    if (second.omitted > 0) logger.error({ code, omitted: second.omitted }, 'more decisions failed');
    second.omitted = 0;
  }

  return (outcome) => {
    if (outcome.kind !== 'failed') return;
    const { fault, auditId } = outcome;
    const second = secondOf(fault.code);
    if (second.logged >= INDIVIDUALLY) {
      second.omitted += 1;
      // There may be no fault after this one to tell it with.
      if (second.omitted === 1) setTimeout(() => tellOmitted(fault.code, second), SECOND).unref();
      return;
    }
    second.logged += 1;
    logger.error({ audit_id: auditId, code: fault.code, err: fault }, 'a decision failed');
  };
}
