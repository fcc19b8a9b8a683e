import type { Logger } from 'pino';
import { type App, buildApp } from '../app.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { CommandContext } from './command.ts';
import { loadNamedConfig } from './config-option.ts';

/** `serve`: composes the service and opens its ports. Gives undefined when the configuration is not used. */
export async function serve(context: CommandContext, logger: Logger): Promise<App | undefined> {
  const loaded = loadNamedConfig(context);
  if (loaded === undefined) return undefined;
  const app = await buildApp(loaded, {
    version: context.version,
    logger,
    printRecords: (lines) => context.print(lines.join('\n')),
    stsRegion: stsRegion(context, loaded),
  });
  try {
    const { publicUrl, adminUrl } = await app.listen();
    logger.info({ public_url: publicUrl, admin_url: adminUrl, config_hash: loaded.hash }, 'listening');
    return app;
  } catch (error) {
    await app.drain();
    throw error;
  }
}

/** Web identity and assumed roles need some region's STS: the environment's, else the first database's. */
function stsRegion({ env }: CommandContext, { catalog }: LoadedConfig): string | undefined {
  if (env['AWS_REGION'] !== undefined || env['AWS_DEFAULT_REGION'] !== undefined) return undefined;
  return [...catalog.values()][0]?.region;
}
