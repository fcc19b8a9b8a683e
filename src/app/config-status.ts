import type { FastifyBaseLogger } from 'fastify';
import { describeProblem } from '../config/config-problem.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { ConfigMetrics } from '../http/config-metrics.ts';
import type { ConfigChanges } from './config-changes.ts';

/** Says in the log, in the metrics and in `/readyz` which configuration is in force and whether it is the files'. */
export type ConfigStatus = {
  /** @param files those that changed */
  applied(next: LoadedConfig, files: readonly string[], changes: ConfigChanges): void;
  /** A change is not used. `problems` are sentences for operators, at least one. */
  refused(problems: readonly string[]): void;
  /** The files hold what is in force. */
  confirmed(): void;
  /** For `/readyz`: `ok`, or one sentence. */
  describe(): string;
};

/** The log gets the first problems; `check` shows all of them. */
const MOST_PROBLEMS = 100;
const MOST_FILES = 20;
const MOST_CHARACTERS = 600;

/** @param first the hash of the configuration that the service starts with */
export function createConfigStatus(first: string, metrics: ConfigMetrics, logger: FastifyBaseLogger): ConfigStatus {
  let hash = first;
  let problem: string | null = null;
  metrics.onConfig(hash);
  return {
    applied(next, files, changes) {
      metrics.onConfig(next.hash);
      metrics.onReload('applied');
      const hashes = { config_hash: next.hash, previous_config_hash: hash };
      logger.info({ ...hashes, files: files.slice(0, MOST_FILES), ...changes }, 'another configuration is in force');
      for (const warning of next.warnings) logger.warn(hashes, `warning: ${describeProblem(warning)}`);
      hash = next.hash;
      problem = null;
    },
    refused(problems) {
      metrics.onReload('failed');
      for (const text of problems.slice(0, MOST_PROBLEMS)) {
        logger.error({ config_hash: hash, problem: text }, 'the changed configuration is not used');
      }
      const more = problems.length - MOST_PROBLEMS;
      if (more > 0) logger.error({ config_hash: hash }, `the changed configuration has ${more} more problems`);
      problem = problems[0] ?? 'unknown problem';
    },
    confirmed() {
      metrics.onReload('unchanged');
      logger.info({ config_hash: hash }, 'the configuration in force is what the files hold');
      problem = null;
    },
    describe() {
      if (problem === null) return 'ok';
      const cut = problem.length > MOST_CHARACTERS ? `${problem.slice(0, MOST_CHARACTERS)}…` : problem;
      return `the last change is not used: ${cut} Still with ${hash}.`;
    },
  };
}
