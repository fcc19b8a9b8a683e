import type { Config } from '../config.ts';
import { caBundleIdOf } from './catalog.ts';

/** The CA bundles that the databases of a configuration use, and how they are fetched. */
export function caBundleOptions({ databases, caBundles }: Pick<Config, 'databases' | 'caBundles'>) {
  const ids = new Set<string>();
  const files = new Map<string, { id: string; file: string; sha256: string }>();
  for (const database of Object.values(databases)) {
    const id = caBundleIdOf(database);
    if (typeof database.caBundle === 'object') files.set(id, { id, ...database.caBundle });
    else ids.add(id);
  }
  const { refresh, directory, source, caFile } = caBundles;
  const fetching = refresh === undefined ? undefined : { refreshMs: refresh, directory, sourceUrl: source, caFile };
  return { ids, files: [...files.values()], fetching };
}
