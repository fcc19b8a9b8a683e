import { createHash } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assembleFetchedBundle } from './assemble-fetched-bundle.ts';
import type { CaBundle } from './ca-bundle.ts';
import { MAX_CA_PEM_BYTES } from './parse-ca-pem.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

/** A bundle on disk. `fetchedAt` is milliseconds since the epoch. */
export type StoredBundle = { readonly bundle: CaBundle; readonly fetchedAt: number };

/** The last good fetched bundles, one file for each, so that a restart has them while AWS cannot be reached. */
export type CaBundleStore = {
  /**
   * The stored copy of a bundle, or undefined where there is none.
   * Throws an `Error` whose message names the file when it is there but cannot be trusted or read.
   */
  load(id: string, url: string): Promise<StoredBundle | undefined>;
  /** Replaces the stored copy; a reader and a crash find either the former or the new one whole. */
  save(stored: StoredBundle, url: string): Promise<void>;
};

/** Creates the store in a directory of its own, which the first save makes, mode 0700. */
export function createCaBundleStore(directory: string, now: () => number): CaBundleStore {
  const fileOf = (id: string) => join(directory, `${id}.json`);
  return {
    async load(id, url) {
      const text = await readIfThere(fileOf(id));
      if (text === undefined) return undefined;
      try {
        return readCopy(text, { id, url, now: now() });
      } catch (error) {
        const why = error instanceof Error ? error.message : 'cannot be read';
        throw new Error(`${fileOf(id)} ${why}`, { cause: error });
      }
    },
    async save({ bundle: { id, sha256, pem }, fetchedAt }, url) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFileAtomically(fileOf(id), JSON.stringify({ version: 1, id, url, fetchedAt, sha256, pem }), 0o600);
    },
  };
}

/**
 * Everything is checked again as if it had just arrived: certificates have expired meanwhile, disks go bad. A copy from
 * another address is not used, so that an operator who leaves a mirror has left it.
 */
function readCopy(text: string, wanted: { id: string; url: string; now: number }): StoredBundle {
  const copy: unknown = parseJson(text);
  if (typeof copy !== 'object' || copy === null) throw new Error('is damaged');
  const { version, id, url, fetchedAt, sha256, pem }: Record<string, unknown> = { ...copy };
  if (version !== 1 || id !== wanted.id || typeof fetchedAt !== 'number' || typeof pem !== 'string') {
    throw new Error('is damaged');
  }
  if (createHash('sha256').update(pem).digest('hex') !== sha256) throw new Error('is damaged');
  if (url !== wanted.url) throw new Error(`was fetched from another address than ${wanted.url}`);
  return { bundle: assembleFetchedBundle(wanted.id, pem, wanted.now), fetchedAt };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // JSON.parse quotes the text in its message.
    throw new Error('is damaged', { cause: error });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      // JSON writes a line end in two characters, so a bundle at the limit still fits.
      if ((await handle.stat()).size > 2 * MAX_CA_PEM_BYTES) throw new Error(`${file} is too big`);
      return await readFile(handle, 'utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
