import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { matchesPattern } from '../config/include.ts';

/** The entries that match a pattern now, sorted; none where the folder cannot be read. */
export async function included(pattern: string): Promise<string[]> {
  const folder = dirname(pattern);
  try {
    const names = await readdir(folder);
    return matching(
      names.map((name) => join(folder, name)),
      pattern,
    );
  } catch {
    return [];
  }
}

/** Those of some files that match a pattern, sorted. */
export function matching(files: readonly string[], pattern: string): string[] {
  return files.filter((file) => dirname(file) === dirname(pattern) && matchesPattern(basename(file), pattern)).sort();
}
