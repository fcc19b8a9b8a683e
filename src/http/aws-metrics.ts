import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What `/metrics` tells of AWS. Roles are those of the configuration. */
export type AwsMetrics = {
  onStsCall(call: {
    readonly operation: string;
    readonly role: string;
    /** `success`, or why there is no session. */
    readonly result: string;
    readonly milliseconds: number;
  }): void;
  /** @param read gives the number of role sessions that are kept. */
  watchSessions(read: () => number): void;
};

const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createAwsMetrics(registry: Registry): AwsMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'rtv_sts_calls_total',
    help: 'Calls to STS that assume a role, by result: success, or why there is no session.',
    labelNames: ['operation', 'role', 'result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'rtv_sts_call_duration_seconds',
    help: 'Time of a call to STS, repeated tries included.',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers,
  });
  return {
    onStsCall({ operation, role, result, milliseconds }) {
      calls.inc({ operation, role, result });
      seconds.observe({ operation }, milliseconds / 1000);
    },
    watchSessions(read) {
      registry.registerMetric(
        new Gauge({
          name: 'rtv_aws_role_sessions',
          help: 'Role sessions that are kept and live.',
          registers: [],
          collect() {
            this.set(read());
          },
        }),
      );
    },
  };
}
