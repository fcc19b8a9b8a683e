import { Counter, Gauge, type Registry } from 'prom-client';
import type { LimitStoreFailure } from './limit-store.ts';
import type { ShedCause } from './load-shedding.ts';

/** What `/metrics` tells of the limits. */
export type LimitMetrics = {
  onShed(cause: ShedCause): void;
  onStoreFailure(cause: LimitStoreFailure): void;
  /** The store that counts for all replicas can be asked, or not. */
  onStore(available: boolean): void;
  /** @param read gives the number of requests that are being answered. */
  watchInFlight(read: () => number): void;
};

const SHED_CAUSES: readonly ShedCause[] = ['event_loop_late', 'too_many_in_flight'];
const STORE_FAILURES: readonly LimitStoreFailure[] = ['not_connected', 'no_answer', 'error'];

export function createLimitMetrics(registry: Registry): LimitMetrics {
  const registers = [registry];
  const shed = new Counter({
    name: 'rtv_requests_shed_total',
    help: 'Requests answered 503 before anything was done for them, by cause.',
    labelNames: ['cause'],
    registers,
  });
  const failures = new Counter({
    name: 'rtv_rate_limit_store_failures_total',
    help: 'Requests that the rate limit store did not count, by cause.',
    labelNames: ['cause'],
    registers,
  });
  for (const cause of SHED_CAUSES) shed.inc({ cause }, 0);
  for (const cause of STORE_FAILURES) failures.inc({ cause }, 0);
  let available: Gauge | undefined;
  return {
    onShed: (cause) => shed.inc({ cause }),
    onStoreFailure: (cause) => failures.inc({ cause }),
    onStore(can) {
      // Where nothing is counted together, there is no such series.
      available ??= new Gauge({
        name: 'rtv_rate_limit_store_available',
        help: '1 while the rate limit store counts, 0 while it cannot be asked.',
        registers,
      });
      available.set(can ? 1 : 0);
    },
    watchInFlight(read) {
      registry.registerMetric(
        new Gauge({
          name: 'rtv_requests_in_flight',
          help: 'Requests of the API that are being answered.',
          registers: [],
          collect() {
            this.set(read());
          },
        }),
      );
    },
  };
}
