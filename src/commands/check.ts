import type { CommandContext, ExitStatus } from './command.ts';
import { loadNamedConfig } from './config-option.ts';
import { caBundleOptions } from '../config/ca-bundle-options.ts';
import { CaBundleError } from '../rds/ca-bundle-error.ts';
import { readCaFile } from '../rds/read-ca-file.ts';
import { printable } from './printable.ts';
import { policyDifferences } from './run-policy-tests.ts';

/** `check`: says whether the configuration would be used and its grants decide what it expects, without starting anything. */
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
  const { issuers, grants, policyTests } = loaded.config;
  const differences = policyDifferences(loaded, Date.now());
  for (const difference of differences) context.printError(printable(difference));
  if (differences.length > 0) {
    context.printError(`${differences.length} of ${count(policyTests.length, 'policy test')} failed.`);
    return 1;
  }
  context.print(
    `The configuration is good: ${count(issuers.length, 'issuer')}, ${count(loaded.catalog.size, 'database')}, ` +
      `${count(grants.length, 'grant')}${policyTests.length === 0 ? '' : `, ${count(policyTests.length, 'policy test')} passed`}. ` +
      `SHA-256 ${loaded.hash}`,
  );
  return 0;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
