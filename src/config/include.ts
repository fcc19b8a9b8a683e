import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { whyUnreadable } from './check-files.ts';
import { type ConfigPath, type Finding, type Findings, formatPath } from './config-problem.ts';
import { include } from './grant-schema.ts';

/** The files that a configuration includes. */
export type Inclusion = Findings & {
  /** Readable files, each once, in the order they are read. Relative ones start where the main file's path does. */
  readonly files: readonly string[];
  /** Absolute, with `*` in the last part. */
  readonly patterns: readonly string[];
};

/**
 * Looks for the files that `include` names. `*` stands for any characters of a file's name; what is hidden (`.a.yaml`, the
 * `..data` of a ConfigMap) matches no pattern. A link is followed. The files of a pattern are in the order of their names'
 * bytes.
 *
 * @param value the main file's
 */
export function findIncluded(value: unknown, main: string): Inclusion {
  const found: { files: string[]; patterns: string[]; errors: Finding[]; warnings: Finding[] } = {
    ...{ files: [], patterns: [], errors: [], warnings: [] },
  };
  // By what links lead to: one file with two names would be read twice.
  const seen = new Map([[realPathOf(main), main]]);
  for (const { path, entry } of entriesOf(value)) {
    const shown = isAbsolute(entry) ? entry : join(dirname(main), entry);
    const isPattern = basename(shown).includes('*');
    if (isPattern) found.patterns.push(resolve(shown));
    const files = isPattern ? matchingFiles(shown) : [shown];
    if (typeof files === 'string') found.errors.push(about(path, files, 'Correct the path, or the permissions.'));
    else if (files.length === 0) found.warnings.push(nothing(path, shown));
    else for (const file of files) take(path, file);
  }
  return found;

  function take(path: ConfigPath, file: string): void {
    const why = whyUnreadable(file);
    const real = realPathOf(file);
    const other = seen.get(real);
    if (why !== undefined) {
      const mend =
        why === 'is not a regular file'
          ? 'Write the path of a file, or a pattern that matches files alone.'
          : "Correct the path (a relative one starts at the configuration's folder) or the file's permissions.";
      found.errors.push(about(path, `the file ${file} ${why}`, mend));
    } else if (other !== undefined) {
      const what = other === file ? 'is read already' : `is the same as ${other}`;
      found.errors.push(about(path, `the file ${file} ${what}`, 'Include each file once.'));
    } else {
      seen.set(real, file);
      found.files.push(file);
    }
  }
}

/** None where the schema refuses what is written. */
function entriesOf(value: unknown): { readonly path: ConfigPath; readonly entry: string }[] {
  const written = typeof value === 'object' && value !== null && 'include' in value ? value.include : [];
  const { data = [] } = include.safeParse(written);
  return Array.isArray(data)
    ? data.map((entry, index) => ({ path: ['include', index], entry }))
    : [{ path: ['include'], entry: data }];
}

/** What matches a pattern, or why that cannot be told. */
function matchingFiles(pattern: string): string[] | string {
  const folder = dirname(pattern);
  try {
    return readdirSync(folder)
      .filter((name) => matchesPattern(name, pattern))
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .map((name) => join(folder, name));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    return code === 'ENOENT' ? [] : `the folder ${folder} cannot be read (${String(code)})`;
  }
}

/** Whether a file of this name, in the pattern's folder, is included. */
export function matchesPattern(name: string, pattern: string): boolean {
  return !name.startsWith('.') && matches(name, basename(pattern));
}

/** The pieces between stars follow one another, the first at the beginning of the name and the last at its end. */
function matches(name: string, pattern: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

function about(path: ConfigPath, what: string, mend: string): Finding {
  return { path, message: `${formatPath(path)}: ${what}.`, mend };
}

function nothing(path: ConfigPath, pattern: string): Finding {
  return about(path, `no file matches ${pattern}`, 'Correct the pattern, or leave it for files that are to come.');
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
