import type { FastifyInstance, FastifyRequest } from 'fastify';
import { watchLateness } from './event-loop-lateness.ts';
import { overloadProblem } from './problem.ts';
import { clientAddressOf, credentialsOf } from './request-facts.ts';
import { sendProblem } from './send.ts';
import type { SenderLimits, Standing } from './sender-limits.ts';
import type { CurrentService } from './service.ts';

/** Why a request is answered 503 before anything is done for it. */
export type ShedCause = 'event_loop_late' | 'too_many_in_flight';

/** Of the configuration in force. */
export type ShedLimits = {
  /** Milliseconds. 0: however late. */
  readonly maxEventLoopDelay: number;
};

export type LoadShedding = {
  /** Requests that are being answered. */
  inFlight(): number;
};

/**
 * Requests in flight above which one more is turned away. Each holds memory until it is answered, and waits for those
 * before it. Places are kept for whoever is known to be good: a crowd of strangers, and those of a flooding address before
 * them, are turned away while callers that work still get in.
 */
const MOST_IN_FLIGHT: Readonly<Record<Standing, number>> = { flooding: 500, unknown: 750, known: 1000 };

const FEW = MOST_IN_FLIGHT.flooding;

/**
 * Turns requests of the API away, before their body is read, while the event loop is later than the configuration allows
 * or too many are in flight. Nothing was decided, so nothing is recorded: it is counted.
 */
export function shedLoad(
  app: FastifyInstance,
  options: {
    readonly current: CurrentService;
    readonly senders: SenderLimits;
    readonly onShed: (cause: ShedCause) => void;
  },
): LoadShedding {
  const { current, senders, onShed } = options;
  const watch = watchLateness();
  const leave = new WeakMap<FastifyRequest, () => void>();
  let inFlight = 0;

  function overloadOf(request: FastifyRequest): ShedCause | undefined {
    const { rates, thumbprintOf } = current();
    if (rates.maxEventLoopDelay > 0 && watch.lateness() > rates.maxEventLoopDelay) return 'event_loop_late';
    if (inFlight < FEW) return undefined;
    const sender = { clientAddress: clientAddressOf(request), credentials: credentialsOf(request, thumbprintOf) };
    return inFlight < MOST_IN_FLIGHT[senders.standing(sender, rates.perAddress)] ? undefined : 'too_many_in_flight';
  }

  app.addHook('onRequest', (request, reply, done) => {
    if (!request.url.startsWith('/v1/')) return done();
    const cause = overloadOf(request);
    if (cause !== undefined) {
      onShed(cause);
      sendProblem(reply, overloadProblem());
      return;
    }
    inFlight += 1;
    let awaited = 2;
    const part = () => {
      awaited -= 1;
      if (awaited === 0) inFlight -= 1;
    };
    // A client that goes away does not end the decision: it is in flight until both are over.
    reply.raw.once('close', part);
    leave.set(request, part);
    done();
  });
  app.addHook('onSend', (request, _reply, _payload, done) => {
    leave.get(request)?.();
    leave.delete(request);
    done();
  });
  app.addHook('onClose', (_app, done) => {
    watch.close();
    done();
  });
  return { inFlight: () => inFlight };
}
