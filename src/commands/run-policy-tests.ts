import type { LoadedConfig } from '../config/load-config.ts';
import { compileGrants } from '../issuance/grants.ts';
import { runPolicyTests } from '../issuance/policy-tests.ts';

/** One line for each of the configuration's policy tests whose expectation is not what its grants decide. */
export function policyDifferences({ config, grants, catalog }: LoadedConfig, now: number): string[] {
  const kubernetes = new Set(config.issuers.flatMap(({ name, kubernetes: set }) => (set === undefined ? [] : [name])));
  const differences = runPolicyTests(config.policyTests, compileGrants(grants, catalog), kubernetes, now);
  return differences.map(
    ({ test, expected, decided }) => `policy test ${test}: expected ${expected}, but it is ${decided}.`,
  );
}
