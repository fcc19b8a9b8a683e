import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { type App, buildApp } from '../app.ts';
import { inClusterApiServer } from '../config/in-cluster-api-server.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { startReloading } from '../reload/start-reloading.ts';
import { createConfigLoader } from '../reload/check-thread.ts';
import { startingHashes } from '../reload/file-hashes.ts';
import type { CommandContext } from './command.ts';
import { loadNamedConfig, namedConfig, serviceChecks } from './config-option.ts';

/** The service while it runs. */
export type Serving = Pick<App, 'drain' | 'drainLimitMs'> & {
  /** Looks at the configuration's files now, and says what came of it. They are also watched. */
  reload(): void;
};

/** `serve`: composes the service and opens its ports. Gives undefined when the configuration is not used. */
export async function serve(context: CommandContext, logger: Logger): Promise<Serving | undefined> {
  const main = resolve(namedConfig(context));
  const loaded = loadNamedConfig(context);
  if (loaded === undefined) return undefined;
  const hashes = await startingHashes(main, loaded);
  const app = await buildApp(loaded, {
    version: context.version,
    logger,
    printRecords: (lines) => context.print(lines.join('\n')),
    env: context.env,
    stsRegion: stsRegion(context, loaded),
    inClusterApiServer: inClusterApiServer(context.env),
  });
  try {
    const { publicUrl, adminUrl } = await app.listen();
    logger.info({ public_url: publicUrl, admin_url: adminUrl, config_hash: loaded.hash }, 'listening');
  } catch (error) {
    await app.drain();
    throw error;
  }
  const loader = createConfigLoader(serviceChecks());
  const reloading = startReloading({
    main,
    loaded,
    hashes,
    load: () => loader.load(main),
    target: app,
    onWarning: (details, text) => logger.warn(details, text),
  });
  return {
    drainLimitMs: app.drainLimitMs,
    reload: () => reloading.request(),
    async drain() {
      await reloading.close();
      await loader.close();
      await app.drain();
    },
  };
}

/** Web identity and assumed roles need some region's STS: the environment's, else the first database's. */
function stsRegion({ env }: CommandContext, { catalog }: LoadedConfig): string | undefined {
  if ([env['AWS_REGION'], env['AWS_DEFAULT_REGION']].some((region) => region !== undefined && region !== ''))
    return undefined;
  return [...catalog.values()][0]?.region;
}
