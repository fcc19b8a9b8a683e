import { dirname } from 'node:path';
import type { Config } from '../config.ts';
import type { AuditorRule } from '../issuance/auditors.ts';
import type { Database } from '../issuance/database.ts';
import type { GrantRule } from '../issuance/grants.ts';
import { buildAuditorRules, buildGrantRules } from './build-rules.ts';
import { buildCatalog } from './catalog.ts';
import { createConditionCompiler } from './cel-condition.ts';
import { checkReferences } from './check-references.ts';
import { checkSchemas } from './check-schemas.ts';
import { configHash } from './config-hash.ts';
import { ConfigError, type ConfigFiles, type ConfigProblem } from './config-problem.ts';
import { readSources, type SourceFile } from './read-sources.ts';
import { resolvePaths } from './resolve-paths.ts';

/** A configuration that passed every check: data alone, which another thread can be given. */
export type CheckedConfig = {
  /** As written, with defaults, with what included files add, and with absolute file paths. */
  readonly config: Config;
  /** What names this configuration in audit records: `configHash` of its files. */
  readonly hash: string;
  /** The files that it was read from, the main one first, by absolute path. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** Absolute paths with `*` in the last part: files that come to match belong to it too. */
  readonly patterns: readonly string[];
  /** What is likely a mistake, but may be meant. */
  readonly warnings: readonly ConfigProblem[];
};

/** And what is made of it. */
export type LoadedConfig = CheckedConfig & {
  readonly catalog: ReadonlyMap<string, Database>;
  /** For `compileGrants`. */
  readonly grants: readonly GrantRule[];
  /** For `compileAuditors`. */
  readonly auditors: readonly AuditorRule[];
};

export type CheckOptions = {
  /** The CA bundles that are there without fetching; without it they are not checked. */
  readonly knownBundleIds?: ReadonlySet<string> | undefined;
};

/** More than anybody reads. A slip in a program that writes grants is in each of them. */
const MOST_PROBLEMS = 200;

/**
 * Reads and checks a configuration file and those that it includes.
 *
 * @throws {ConfigError} with every problem at once, in the order of the files.
 */
export function loadConfig(path: string, options: CheckOptions = {}): LoadedConfig {
  // An expression that was compiled for the check is not compiled again.
  const compileCondition = createConditionCompiler();
  return completeConfig(checkConfig(path, options, compileCondition), compileCondition);
}

/** The part of `loadConfig` that takes long where there are very many grants. */
export function checkConfig(
  path: string,
  options: CheckOptions = {},
  compileCondition = createConditionCompiler(),
): CheckedConfig {
  const { main, included, inclusion } = readSources(path);
  const files = [main, ...included];
  const read = { files: files.map((file) => file.path), patterns: inclusion.patterns };
  if (main.source.value === undefined) throw refusal(main.source.problems, files, read);

  const folder = dirname(main.path);
  const { config: written, parts, problems, place } = checkSchemas(main, included);
  const { knownBundleIds } = options;
  const { errors, warnings } = checkReferences(parts, { folder, knownBundleIds, compileCondition });
  const all = [...problems, ...[...inclusion.errors, ...errors].map(place)];
  if (written === undefined || all.length > 0) throw refusal(all, files, read);

  return {
    config: resolvePaths(written, folder),
    hash: configHash(main, included),
    files: files.map((file) => ({ path: file.path, sha256: file.sha256 })),
    patterns: inclusion.patterns,
    warnings: shownOf([...inclusion.warnings, ...warnings].map(place), files),
  };
}

/** The rest of `loadConfig`. */
export function completeConfig(checked: CheckedConfig, compileCondition = createConditionCompiler()): LoadedConfig {
  const { config } = checked;
  return {
    ...checked,
    catalog: buildCatalog(config),
    grants: buildGrantRules(config, compileCondition),
    auditors: buildAuditorRules(config, compileCondition),
  };
}

function refusal(problems: readonly ConfigProblem[], files: readonly SourceFile[], read: ConfigFiles): ConfigError {
  const ordered = inOrder(problems, files);
  return new ConfigError(ordered.slice(0, MOST_PROBLEMS), Math.max(0, ordered.length - MOST_PROBLEMS), read);
}

function shownOf(warnings: readonly ConfigProblem[], files: readonly SourceFile[]): ConfigProblem[] {
  const ordered = inOrder(warnings, files);
  const next = ordered[MOST_PROBLEMS];
  if (next === undefined) return ordered;
  const message = `${ordered.length - MOST_PROBLEMS} more warnings, from here on, are not shown.`;
  return [...ordered.slice(0, MOST_PROBLEMS), { ...next, message, mend: 'Look at those above first.' }];
}

function inOrder(problems: readonly ConfigProblem[], files: readonly SourceFile[]): ConfigProblem[] {
  const ranks = new Map(files.map(({ file }, rank) => [file, rank]));
  const rank = ({ file }: ConfigProblem) => ranks.get(file) ?? 0;
  return problems.toSorted(
    (one, other) => rank(one) - rank(other) || one.line - other.line || one.column - other.column,
  );
}
