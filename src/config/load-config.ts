import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, configSchema } from '../config.ts';
import type { AuditorRule } from '../issuance/auditors.ts';
import type { Database } from '../issuance/database.ts';
import type { GrantRule } from '../issuance/grants.ts';
import { buildAuditorRules, buildGrantRules } from './build-rules.ts';
import { buildCatalog } from './catalog.ts';
import { whyUnreadable } from './check-files.ts';
import { checkReferences } from './check-references.ts';
import { ConfigError, type ConfigProblem } from './config-problem.ts';
import { partsOf, salvageParts } from './parts.ts';
import { resolvePaths } from './resolve-paths.ts';
import { explainIssues, generalMend } from './schema-problems.ts';
import { readYaml } from './yaml-source.ts';

/** A configuration that passed every check. */
export type LoadedConfig = {
  /** As written, with defaults, and with absolute file paths. */
  readonly config: Config;
  readonly catalog: ReadonlyMap<string, Database>;
  /** For `compileGrants`. */
  readonly grants: readonly GrantRule[];
  /** For `compileAuditors`. */
  readonly auditors: readonly AuditorRule[];
  /** SHA-256 of the file's bytes, hex. */
  readonly hash: string;
  /** What is likely a mistake, but may be meant. */
  readonly warnings: readonly ConfigProblem[];
};

/**
 * Reads and checks a configuration file.
 *
 * @param options.knownBundleIds the CA bundles that are there without fetching; without it they are not checked.
 * @throws {ConfigError} with every problem at once, in the order of the file.
 */
export function loadConfig(
  path: string,
  options: { readonly knownBundleIds?: ReadonlySet<string> | undefined } = {},
): LoadedConfig {
  const bytes = readBytes(path);
  const source = readYaml(path, decode(path, bytes));
  if (source.value === undefined) throw new ConfigError(inOrder(source.problems));

  const folder = dirname(resolve(path));
  const parsed = configSchema.safeParse(source.value, { error: generalMend });
  const issues = parsed.success ? [] : explainIssues(parsed.error.issues, source.value);
  const parts = parsed.success ? partsOf(parsed.data) : salvageParts(source.value);
  const { errors, warnings } = checkReferences(parts, { folder, knownBundleIds: options.knownBundleIds });
  const problems = [...source.problems, ...[...issues, ...errors].map(source.place)];
  if (!parsed.success || problems.length > 0) throw new ConfigError(inOrder(problems));

  const config = resolvePaths(parsed.data, folder);
  return {
    config,
    catalog: buildCatalog(config),
    grants: buildGrantRules(config),
    auditors: buildAuditorRules(config),
    hash: createHash('sha256').update(bytes).digest('hex'),
    warnings: inOrder(warnings.map(source.place)),
  };
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = whyUnreadable(file) ?? `cannot be read (${String(error)})`;
    const mend = 'Give the path of a readable YAML file with --config or RTV_CONFIG.';
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message: `The file ${why}.`, mend }]);
  }
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const problem = { message: 'The file is not UTF-8 text.', mend: 'Save it as UTF-8.' };
    throw new ConfigError([{ file, line: 1, column: 1, path: '', ...problem }]);
  }
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((one, other) => one.line - other.line || one.column - other.column);
}
