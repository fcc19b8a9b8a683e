import { parseArgs } from 'node:util';
import { ConfigError, describeProblem } from '../config/config-problem.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { builtInBundleIds } from '../rds/builtin-ca-bundles.ts';
import { type CommandContext, UsageError } from './command.ts';

/**
 * Loads the configuration that `--config FILE` or `RTV_CONFIG` names, prints its warnings, or prints every problem and
 * gives undefined.
 *
 * @throws {UsageError} when neither names a file, or other arguments are there
 */
export function loadNamedConfig(context: CommandContext): LoadedConfig | undefined {
  const path = configPath(context);
  try {
    const loaded = loadConfig(path, { knownBundleIds: builtInBundleIds() });
    for (const warning of loaded.warnings) context.printError(`warning: ${describeProblem(warning)}`);
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) context.printError(describeProblem(problem));
    const count = error.problems.length;
    context.printError(`${count} ${count === 1 ? 'problem' : 'problems'}: this configuration is not used.`);
    return undefined;
  }
}

function configPath({ args, env }: CommandContext): string {
  const path = readOption(args) ?? env['RTV_CONFIG'];
  if (path === undefined || path === '') throw new UsageError('Name the configuration: --config FILE or RTV_CONFIG.');
  return path;
}

function readOption(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } }, strict: true }).values
      .config;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown arguments', { cause: error });
  }
}
