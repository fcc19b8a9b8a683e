import { Counter, Gauge, type Registry } from 'prom-client';

/** What became of one attempt to put another configuration in force. */
export type ReloadResult = 'applied' | 'failed' | 'unchanged';

/** What `/metrics` tells of the configuration in force. */
export type ConfigMetrics = {
  /** The configuration of this hash is in force since now. */
  onConfig(hash: string): void;
  onReload(result: ReloadResult): void;
};

export function createConfigMetrics(registry: Registry): ConfigMetrics {
  const registers = [registry];
  const reloads = new Counter({
    name: 'rtv_config_reloads_total',
    help: 'Attempts to put a changed configuration in force, by result.',
    labelNames: ['result'],
    registers,
  });
  const successful = new Gauge({
    name: 'rtv_config_last_reload_successful',
    help: '1 when the configuration in force is what the files hold, 0 when the last change is not used.',
    registers,
  });
  const since = new Gauge({
    name: 'rtv_config_last_reload_timestamp_seconds',
    help: 'When the configuration in force was put in force.',
    registers,
  });
  const info = new Gauge({
    name: 'rtv_config_info',
    help: 'The hash of the configuration in force, as audit records name it.',
    labelNames: ['hash'],
    registers,
  });
  for (const result of ['applied', 'failed', 'unchanged']) reloads.inc({ result }, 0);
  return {
    onConfig(hash) {
      successful.set(1);
      since.setToCurrentTime();
      info.reset();
      info.set({ hash }, 1);
    },
    onReload(result) {
      reloads.inc({ result });
      successful.set(result === 'failed' ? 0 : 1);
    },
  };
}
