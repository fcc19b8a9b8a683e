import { readFile } from 'node:fs/promises';
import { Fault } from '../issuance/fault.ts';
import { builtInBundleIds, readBuiltInBundle } from './builtin-ca-bundles.ts';
import type { CaBundle, CaBundles } from './ca-bundle.ts';
import { CaBundleError } from './ca-bundle-error.ts';
import { createCaBundleStore } from './ca-bundle-store.ts';
import { fetchUrl } from './ca-bundle-urls.ts';
import { type CaFile, readCaFile } from './read-ca-file.ts';
import { type CaBundleEvent, startRefreshing } from './refresh-ca-bundle.ts';

export type CaBundleOptions = {
  /** The ids that databases use, files left out. */
  readonly ids: ReadonlySet<string>;
  /** Operators' own bundles that databases use. */
  readonly files: readonly CaFile[];
  /** Fetching; undefined leaves it off. */
  readonly fetching:
    | {
        readonly refreshMs: number;
        readonly directory: string;
        readonly sourceUrl: string | undefined;
        readonly caFile: string | undefined;
      }
    | undefined;
  /** The bundles before a reload that fetches in the same way: what they have fetched serves on. */
  readonly earlier?: CaBundles | undefined;
  readonly now: () => number;
  readonly onEvent: (event: CaBundleEvent) => void;
};

/**
 * Puts the CA bundles in force: operators' files, then AWS's current ones where fetching is on, then the built-in ones.
 *
 * @throws {CaBundleError} for a bundle in use that is neither there nor going to be fetched
 */
export async function createCaBundles(options: CaBundleOptions): Promise<CaBundles> {
  const { ids, files, fetching, earlier, now, onEvent } = options;
  const inForce = new Map<string, CaBundle>();
  const builtIn = new Map<string, CaBundle>();
  const ends: (() => Promise<void>)[] = [];

  for (const file of files) inForce.set(file.id, await readCaFile(file, now()));
  if (fetching !== undefined) {
    const ca = fetching.caFile === undefined ? undefined : await readTrustedCa(fetching.caFile);
    const store = createCaBundleStore(fetching.directory, now);
    for (const id of ids) {
      const url = fetchUrl(id, fetching.sourceUrl);
      if (url === undefined) continue;
      const onBundle = (bundle: CaBundle) => void inForce.set(id, bundle);
      const fetched = earlier?.find(id);
      if (fetched?.origin === 'fetched') onBundle(fetched);
      ends.push(await startRefreshing({ id, url, refreshMs: fetching.refreshMs, ca, store, now, onBundle, onEvent }));
    }
  } else {
    for (const id of ids) if (find(id) === undefined) throw missing(id);
  }

  function find(id: string): CaBundle | undefined {
    const bundle = inForce.get(id) ?? builtIn.get(id) ?? readBuiltInBundle(id, now());
    if (bundle?.origin === 'built-in') builtIn.set(id, bundle);
    return bundle;
  }

  return {
    find,
    get(id) {
      const bundle = find(id);
      if (bundle) return bundle;
      throw new Fault('ca_bundle_unavailable', `the CA bundle ${id} is not built in and could not be fetched yet`);
    },
    list() {
      const all = new Set([...inForce.keys(), ...builtInBundleIds()]);
      return [...all].sort().flatMap((id) => find(id) ?? []);
    },
    async close() {
      await Promise.all(ends.map((end) => end()));
    },
  };
}

function missing(id: string): CaBundleError {
  return new CaBundleError(
    `There is no built-in CA bundle ${id}. Set the database's caBundle to {file, sha256} with the bundle AWS ` +
      'publishes, or set caBundles.refresh to fetch it.',
  );
}

async function readTrustedCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new CaBundleError(`caBundles.caFile cannot be read: ${why}.`, { cause: error });
  }
}
