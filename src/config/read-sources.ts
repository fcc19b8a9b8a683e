import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { whyUnreadable } from './check-files.ts';
import { ConfigError } from './config-problem.ts';
import { findIncluded, type Inclusion } from './include.ts';
import { readConfigYaml } from './read-yaml.ts';
import type { YamlSource } from './yaml-source.ts';

/** A file of the configuration. It was read once: what was hashed is what was parsed. */
export type SourceFile = {
  /** As problems name it. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
  readonly source: YamlSource;
};

/** All files of a configuration, as they were together at one moment. */
export type Sources = {
  readonly main: SourceFile;
  readonly included: readonly SourceFile[];
  readonly inclusion: Inclusion;
};

type FileBytes = { readonly file: string; readonly bytes: Buffer };

const MOST_ATTEMPTS = 5;

const MEND_OF_EMPTY = {
  main: 'Write at least issuers and databases; docs/configuration.md has an example.',
  // A file that was cut to nothing must not be taken for one that denies nothing.
  included: 'Write grants: [] in it if it is to hold none.',
};

/**
 * Reads a configuration file and what it includes. Files that are replaced meanwhile, as the kubelet does with those of a
 * ConfigMap, are read again, so that no configuration is half the old one and half the new one.
 *
 * @throws {ConfigError} when the main file cannot be read, or files keep changing
 */
export function readSources(file: string): Sources {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const before = new Map([[file, identityOf(file)]]);
    const main = readMain(file);
    const inclusion = findIncluded(main.source.value, file);
    for (const one of inclusion.files) before.set(one, identityOf(one));
    const contents = inclusion.files.map(tryRead);
    const read = contents.filter((one): one is FileBytes => one !== undefined);
    const isStill = [...before].every(([one, identity]) => identityOf(one) === identity);
    const isWhole = read.length === contents.length && isSame(inclusion, findIncluded(main.source.value, file));
    if (!isStill || !isWhole) continue;
    const included = read.map(({ file: one, bytes }) => sourceFile(one, bytes, MEND_OF_EMPTY.included));
    return { main, included, inclusion };
  }
  const message = 'The files of the configuration change while they are read.';
  throw new ConfigError([{ ...startOf(file), message, mend: 'Replace them all at once.' }]);
}

/** undefined for a file that went, or was shut, since it was looked for: then it is looked for again. */
function tryRead(file: string): FileBytes | undefined {
  try {
    return { file, bytes: readFileSync(file) };
  } catch {
    return undefined;
  }
}

function readMain(file: string): SourceFile {
  try {
    return sourceFile(file, readFileSync(file), MEND_OF_EMPTY.main);
  } catch (error) {
    const why = whyUnreadable(file) ?? `cannot be read (${String(error)})`;
    const mend = 'Give the path of a readable YAML file with --config or RTV_CONFIG.';
    throw new ConfigError([{ ...startOf(file), message: `The file ${why}.`, mend }]);
  }
}

function sourceFile(file: string, bytes: Buffer, ifEmpty: string): SourceFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file, path: resolve(file), sha256, source: readText(file, bytes, ifEmpty) };
}

function readText(file: string, bytes: Buffer, ifEmpty: string): YamlSource {
  const text = decode(bytes);
  if (text !== undefined) return readConfigYaml(file, text, ifEmpty);
  const problem = { ...startOf(file), message: 'The file is not UTF-8 text.', mend: 'Save it as UTF-8.' };
  return { value: undefined, problems: [problem], place: () => problem };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Another value once another file has this name, or it is written to. A pipe has none: it can be read only once. */
function identityOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ...stats } = statSync(file, { bigint: true });
    return stats.isFile() ? [dev, ino, size, mtimeNs, ctimeNs].join(' ') : '';
  } catch {
    return '';
  }
}

function isSame(one: Inclusion, other: Inclusion): boolean {
  return one.files.length === other.files.length && one.files.every((file, at) => file === other.files[at]);
}

function startOf(file: string) {
  return { file, line: 1, column: 1, path: '' };
}
