import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The entries that match a pattern now, sorted; none where the folder cannot be read. */
export async function included(pattern: string): Promise<string[]> {
  const folder = dirname(pattern);
  const [first = '', ...rest] = basename(pattern).split('*');
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => matches(name, first, rest))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** `*` stands for any characters. What matches too much costs a look, nothing else: the configuration's reader decides. */
function matches(name: string, first: string, rest: readonly string[]): boolean {
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.endsWith(rest.at(-1) ?? first);
}
