import { assembleCaBundle } from './assemble-ca-bundle.ts';
import type { CaBundle } from './ca-bundle.ts';
import { AMAZON_ROOTS_ID, caBundleUrl } from './ca-bundle-urls.ts';
import snapshot from './ca-snapshot.json' with { type: 'json' };

const regions: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(snapshot.regions));

/** Where the built-in certificates come from, for people who ask. */
export const BUILT_IN_SOURCE: string = snapshot.source;

/** The bundles that the program carries: `global`, `amazon-roots` and the regions of the snapshot. */
export function builtInBundleIds(): ReadonlySet<string> {
  return new Set(['global', AMAZON_ROOTS_ID, ...regions.keys()]);
}

/**
 * Reads one built-in bundle, or gives undefined for an id that is not built in. Only its own certificates are read,
 * because reading all of them would take a noticeable part of the program's start.
 */
export function readBuiltInBundle(id: string, now: number): CaBundle | undefined {
  const certificates = certificatesOf(id);
  if (certificates === undefined) return undefined;
  return assembleCaBundle({ id, origin: 'built-in', sourceUrl: caBundleUrl(id), pem: certificates.join('') }, now);
}

function certificatesOf(id: string): readonly string[] | undefined {
  if (id === 'global') return [...regions.values()].flat();
  return id === AMAZON_ROOTS_ID ? snapshot.amazonRoots : regions.get(id);
}
