import type { LoadedConfig } from '../config/load-config.ts';
import { matching } from './included-files.ts';

/** The files that a configuration consists of or names, by absolute path. */
export type WatchedFiles = {
  readonly files: ReadonlySet<string>;
  /** Paths with `*` in their last part: any file that matches belongs to the configuration. */
  readonly patterns: ReadonlySet<string>;
};

/**
 * What has to be watched for a configuration. Left out are files that are read anew whenever they are used: bearer
 * tokens, and what the API server of a cluster and the server that counts are asked with.
 *
 * @param main the absolute path of the main file
 */
export function watchedFilesOf(main: string, { config, files, patterns }: LoadedConfig): WatchedFiles {
  const { server, issuers, databases, caBundles } = config;
  const bundles = Object.values(databases).map(({ caBundle }) => caBundle);
  const named = [
    server.tls?.certFile,
    server.tls?.keyFile,
    server.tls?.clientCaFile,
    ...issuers.flatMap(({ jwks, caFile }) => [caFile, jwks !== undefined && 'file' in jwks ? jwks.file : undefined]),
    ...bundles.map((bundle) => (typeof bundle === 'object' ? bundle.file : undefined)),
    caBundles.caFile,
  ];
  const read = files.map(({ path }) => path);
  return {
    files: new Set([main, ...read, ...named.filter((file) => file !== undefined)]),
    patterns: new Set(patterns),
  };
}

/** The hashes of the files that the configuration was read from, and which of them matched each pattern. */
export function readHashes({ files, patterns }: LoadedConfig): ReadonlyMap<string, string> {
  const paths = files.map(({ path }) => path);
  return new Map([
    ...files.map(({ path, sha256 }) => [path, sha256] as const),
    ...patterns.map((pattern) => [pattern, matching(paths, pattern).join('\n')] as const),
  ]);
}

/** All of both. */
export function bothFiles(one: WatchedFiles, other: WatchedFiles): WatchedFiles {
  return {
    files: new Set([...one.files, ...other.files]),
    patterns: new Set([...one.patterns, ...other.patterns]),
  };
}

/** Whether `one` has everything that `other` has. */
export function hasAllFiles(one: WatchedFiles, other: WatchedFiles): boolean {
  return (
    [...other.files].every((file) => one.files.has(file)) &&
    [...other.patterns].every((pattern) => one.patterns.has(pattern))
  );
}
