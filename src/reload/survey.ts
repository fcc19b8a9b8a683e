import type { BigIntStats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { included } from './included-files.ts';
import type { WatchedFiles } from './watched-files.ts';

/** What the file system says of the watched files, without reading them. */
export type Survey = {
  /** Changes whenever a file, or a link on the way to one, is written, replaced, added or removed. */
  readonly signature: string;
  /** Every folder that an entry on the way to a file is in. */
  readonly folders: ReadonlyMap<string, SurveyedFolder>;
};

export type SurveyedFolder = {
  /** Another value once the folder is another one; null where there is none. */
  readonly identity: string | null;
  /** The entries in it that matter; `all` where a pattern is looked for. */
  readonly names: ReadonlySet<string> | 'all';
};

/** As the kernel does (Linux: 40, `MAXSYMLINKS`). */
const MOST_LINKS = 40;

/**
 * Looks at every entry on the way to each file: a ConfigMap's files are links into `..data`, itself a link to the folder
 * that is replaced (kubernetes/kubernetes pkg/volume/util/atomic_writer.go), so the file alone says nothing of a change.
 */
export async function survey({ files, patterns }: WatchedFiles): Promise<Survey> {
  const signature: string[] = [];
  const folders = new Map<string, { identity: string | null; names: Set<string> | 'all' }>();
  const seen = new Map<string, Promise<Entry>>();

  function entryAt(path: string): Promise<Entry> {
    const known = seen.get(path);
    if (known) return known;
    const looked = lookAt(path);
    seen.set(path, looked);
    return looked;
  }

  /** @param name null for every entry */
  async function note(folder: string, name: string | null): Promise<void> {
    const known = folders.get(folder) ?? { identity: await folderIdentity(folder), names: new Set<string>() };
    folders.set(folder, known);
    if (name === null) known.names = 'all';
    else if (known.names !== 'all') known.names.add(name);
  }

  async function walk(path: string): Promise<void> {
    let at = '/';
    const ahead = path.split('/');
    for (let links = 0; ahead.length > 0; ) {
      const name = ahead.shift() ?? '';
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = dirname(at);
        continue;
      }
      const next = join(at, name);
      const entry = await entryAt(next);
      signature.push(next, entry.signature);
      if (entry.target === null && entry.isFolder && ahead.length > 0) {
        at = next;
        continue;
      }
      await note(at, name);
      // A file, or the place where one is missing.
      if (entry.target === null || ++links > MOST_LINKS) return;
      if (entry.target.startsWith('/')) at = '/';
      ahead.unshift(...entry.target.split('/'));
    }
  }

  for (const file of files) await walk(file);
  for (const pattern of patterns) {
    await walk(dirname(pattern));
    const found = await included(pattern);
    await note(dirname(pattern), null);
    signature.push(pattern, ...found);
    for (const file of found) await walk(file);
  }
  return { signature: signature.join('\n'), folders };
}

type Entry = { readonly signature: string; readonly target: string | null; readonly isFolder: boolean };

async function lookAt(path: string): Promise<Entry> {
  try {
    const stats = await lstat(path, { bigint: true });
    const target = stats.isSymbolicLink() ? await readlink(path) : null;
    // Other entries of a folder change its times, and are none of our business.
    const isFolder = stats.isDirectory();
    return { signature: isFolder ? identityOf(stats) : `${times(stats)} ${target ?? ''}`, target, isFolder };
  } catch (error) {
    return { signature: codeOf(error), target: null, isFolder: false };
  }
}

async function folderIdentity(folder: string): Promise<string | null> {
  try {
    const stats = await stat(folder, { bigint: true });
    return stats.isDirectory() ? identityOf(stats) : null;
  } catch {
    return null;
  }
}

function identityOf({ dev, ino, mode }: BigIntStats): string {
  return `${dev}:${ino} ${mode}`;
}

function times(stats: BigIntStats): string {
  const { size, mtimeNs, ctimeNs } = stats;
  return `${identityOf(stats)} ${size} ${mtimeNs} ${ctimeNs}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}
