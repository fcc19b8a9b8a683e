import type { LoadedConfig } from '../config/load-config.ts';
import type { Service } from '../http/service.ts';
import type { TrustedIssuer } from '../jwt/verify-caller.ts';
import { configChanges } from './config-changes.ts';
import type { ConfigStatus } from './config-status.ts';
import { needsRestart } from './needs-restart.ts';
import type { Staged } from './staged.ts';

/** One configuration and everything that was made of it. */
export type InForce = {
  readonly loaded: LoadedConfig;
  readonly service: Service;
  readonly issuers: readonly TrustedIssuer[];
  /** The CA bundles that the databases use. */
  readonly caBundleIds: ReadonlySet<string>;
  /** Throws a `Fault` for a bundle that is not there. */
  readonly requireCaBundle: (id: string) => unknown;
};

export type RunningConfig = {
  readonly current: () => InForce;
  /** Gives false when the configuration is refused; the one in force stays then. Reloads wait for each other. */
  reload(next: LoadedConfig, files?: readonly string[]): Promise<boolean>;
  /** Waits for a reload under way and refuses all later ones. */
  close(): Promise<void>;
};

/** Holds the configuration in force, and replaces it as a whole. */
export async function createRunningConfig(
  first: LoadedConfig,
  stage: (loaded: LoadedConfig) => Promise<Staged<InForce>>,
  status: ConfigStatus,
): Promise<RunningConfig> {
  const staged = await stage(first);
  let inForce = staged.part;
  await staged.commit();
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  async function replace(next: LoadedConfig, files: readonly string[]): Promise<boolean> {
    if (closed) return false;
    const before = inForce.loaded;
    const fixed = needsRestart(before.config, next.config);
    if (fixed.length > 0) {
      status.refused([`A changed ${fixed.join(', ')} needs a restart of the service.`]);
      return false;
    }
    let staged;
    try {
      staged = await stage(next);
    } catch (error) {
      status.refused([error instanceof Error ? error.message : 'An unknown error.']);
      return false;
    }
    // From this line on every request is decided with the next configuration; those under way keep theirs.
    inForce = staged.part;
    await staged.commit();
    status.applied(next, files, await configChanges(before.config, next.config));
    return true;
  }

  return {
    current: () => inForce,
    async reload(next, files = []) {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      try {
        return await replace(next, files);
      } finally {
        resolve();
      }
    },
    async close() {
      closed = true;
      await last;
    },
  };
}
