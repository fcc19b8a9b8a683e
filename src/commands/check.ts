import type { CommandContext, ExitStatus } from './command.ts';
import { loadNamedConfig } from './config-option.ts';
import { caBundleOptions } from '../config/ca-bundle-options.ts';
import { CaBundleError } from '../rds/ca-bundle-error.ts';
import { readCaFile } from '../rds/read-ca-file.ts';

/** `check`: says whether the configuration would be used, without starting anything. */
export async function check(context: CommandContext): Promise<ExitStatus> {
  const loaded = loadNamedConfig(context);
  if (loaded === undefined) return 1;
  for (const file of caBundleOptions(loaded.config).files) {
    try {
      await readCaFile(file, Date.now());
    } catch (error) {
      if (!(error instanceof CaBundleError)) throw error;
      context.printError(error.message);
      return 1;
    }
  }
  const { issuers, grants } = loaded.config;
  context.print(
    `The configuration is good: ${count(issuers.length, 'issuer')}, ${count(loaded.catalog.size, 'database')}, ` +
      `${count(grants.length, 'grant')}. SHA-256 ${loaded.hash}`,
  );
  return 0;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
