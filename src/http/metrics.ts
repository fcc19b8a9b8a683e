import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Action } from '../issuance/audit-record.ts';
import type { Outcome } from '../issuance/decide-on-record.ts';
import { type AwsMetrics, createAwsMetrics } from './aws-metrics.ts';
import { type ConfigMetrics, createConfigMetrics } from './config-metrics.ts';
import { createLimitMetrics, type LimitMetrics } from './limit-metrics.ts';

/** What `/metrics` counts. Labels are our own fixed words: nothing a caller sends can add a series. */
export type Metrics = ConfigMetrics &
  AwsMetrics &
  LimitMetrics & {
    onDecision(action: Action, outcome: Outcome<unknown>, milliseconds: number): void;
    onTransportError(code: string): void;
    /** A background task failed: loading issuer keys, AWS credentials, CA bundles, the audit store. */
    onFailure(task: BackgroundTask): void;
    readonly contentType: string;
    render(): Promise<string>;
  };

export type BackgroundTask = 'issuer_keys' | 'aws_credentials' | 'ca_bundle' | 'audit_store';

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** Node's codes for what clients do to the parser, and `tls` for failed handshakes; every other one is counted as `other`. */
const TRANSPORT_CODES = new Set(['HPE_HEADER_OVERFLOW', 'ERR_HTTP_REQUEST_TIMEOUT', 'ECONNRESET', 'tls']);

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const decisions = new Counter({
    name: 'rtv_decisions_total',
    help: 'Decisions by action, outcome (issued, answered, refused, failed) and reason.',
    labelNames: ['action', 'outcome', 'reason'],
    registers,
  });
  const seconds = new Histogram({
    name: 'rtv_decision_duration_seconds',
    help: 'Time from a request that was read to its decision, its durable record included.',
    labelNames: ['action', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  const transport = new Counter({
    name: 'rtv_transport_errors_total',
    help: 'Connections that ended before a request could be read, by cause.',
    labelNames: ['code'],
    registers,
  });
  const failures = new Counter({
    name: 'rtv_background_failures_total',
    help: 'Failed attempts of background tasks.',
    labelNames: ['task'],
    registers,
  });
  return {
    ...createConfigMetrics(registry),
    ...createAwsMetrics(registry),
    onDecision(action, outcome, milliseconds) {
      const [word, reason] = describe(action, outcome);
      decisions.inc({ action, outcome: word, reason });
      seconds.observe({ action, outcome: word }, milliseconds / 1000);
    },
    onTransportError: (code) => transport.inc({ code: TRANSPORT_CODES.has(code) ? code : 'other' }),
    onFailure: (task) => failures.inc({ task }),
    ...createLimitMetrics(registry),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

function describe(action: Action, outcome: Outcome<unknown>): [outcome: string, reason: string] {
  switch (outcome.kind) {
    case 'decided':
      return [action === 'token.issue' ? 'issued' : 'answered', ''];
    case 'refused':
      return ['refused', outcome.refusal.reason];
    case 'failed':
      return ['failed', outcome.fault.code];
  }
}
