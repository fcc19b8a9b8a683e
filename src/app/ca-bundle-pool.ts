import type { Config } from '../config.ts';
import { caBundleOptions } from '../config/ca-bundle-options.ts';
import type { CaBundles } from '../rds/ca-bundle.ts';
import { createCaBundles } from '../rds/create-ca-bundles.ts';
import { readCaFile } from '../rds/read-ca-file.ts';
import type { CaBundleEvent } from '../rds/refresh-ca-bundle.ts';
import { fileIdentity } from './file-identity.ts';
import type { Staged } from './staged.ts';

/** The CA bundles across reloads: what was fetched is kept while it is fetched in the same way. */
export type CaBundlePool = {
  /** @throws {CaBundleError} for a bundle that is neither there nor going to be fetched, or a file that is not as configured */
  stage(config: Pick<Config, 'databases' | 'caBundles'>): Promise<Staged<CaBundles>>;
  close(): Promise<void>;
};

type InForce = { readonly identity: string; readonly fetchedBy: string; readonly bundles: CaBundles };

export function createCaBundlePool({
  now,
  onEvent,
}: {
  readonly now: () => number;
  readonly onEvent: (event: CaBundleEvent) => void;
}): CaBundlePool {
  let inForce: InForce | undefined;

  return {
    async stage(config) {
      const options = caBundleOptions(config);
      const fetchedBy = JSON.stringify([options.fetching, await fileIdentity(options.fetching?.caFile)]);
      const identity = JSON.stringify([[...options.ids].sort(), options.files, fetchedBy]);
      const before = inForce;
      if (before?.identity === identity) {
        // Nothing to make, but a restart would read the files: what it would refuse is refused now.
        for (const file of options.files) await readCaFile(file, now());
        return { part: before.bundles, commit() {}, discard() {} };
      }
      const earlier = before?.fetchedBy === fetchedBy ? before.bundles : undefined;
      const bundles = await createCaBundles({ ...options, earlier, now, onEvent });
      return {
        part: bundles,
        async commit() {
          inForce = { identity, fetchedBy, bundles };
          await before?.bundles.close();
        },
        discard: () => bundles.close(),
      };
    },
    async close() {
      await inForce?.bundles.close();
    },
  };
}
