import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { ConfigError, describeProblem } from '../config/config-problem.ts';
import { type CheckOptions, type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { builtInBundleIds } from '../rds/builtin-ca-bundles.ts';
import { type CommandContext, UsageError } from './command.ts';

/** The option of every command that needs the configuration. */
export const CONFIG_OPTION = { config: { type: 'string', short: 'c' } } as const;

/**
 * Loads the configuration that `--config FILE` or `RTV_CONFIG` names, prints its warnings, or prints every problem and
 * gives undefined.
 *
 * @param option the value of `--config`; without it the arguments are read, and may hold nothing else.
 * @throws {UsageError} when neither names a file, or other arguments are there
 */
export function loadNamedConfig(
  context: CommandContext,
  option: { readonly config?: string | undefined } = readOptions(context, CONFIG_OPTION),
): LoadedConfig | undefined {
  const path = namedConfig(context, option);
  try {
    const loaded = loadServiceConfig(path);
    for (const warning of loaded.warnings) context.printError(`warning: ${describeProblem(warning)}`);
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) context.printError(describeProblem(problem));
    if (error.omitted > 0) context.printError(`${error.omitted} more problems are not shown.`);
    const count = error.problems.length + error.omitted;
    context.printError(`${count} ${count === 1 ? 'problem' : 'problems'}: this configuration is not used.`);
    return undefined;
  }
}

/** The path that `--config FILE` or `RTV_CONFIG` names. @throws {UsageError} when neither does */
export function namedConfig(
  context: CommandContext,
  option: { readonly config?: string | undefined } = readOptions(context, CONFIG_OPTION),
): string {
  const path = option.config ?? context.env['RTV_CONFIG'];
  if (path === undefined || path === '') throw new UsageError('Name the configuration: --config FILE or RTV_CONFIG.');
  return path;
}

/** Loads a configuration with the checks that the service makes. @throws {ConfigError} with every problem */
export function loadServiceConfig(path: string): LoadedConfig {
  return loadConfig(path, serviceChecks());
}

/** What the service has checked, besides what a configuration says by itself. */
export function serviceChecks(): CheckOptions {
  return { knownBundleIds: builtInBundleIds() };
}

/** The values of a command's options. @throws {UsageError} for anything else. */
export function readOptions<Options extends ParseArgsOptionsConfig>({ args }: CommandContext, options: Options) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown arguments', { cause: error });
  }
}
