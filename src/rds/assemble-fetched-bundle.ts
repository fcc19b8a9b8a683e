import { assembleCaBundle } from './assemble-ca-bundle.ts';
import type { CaBundle } from './ca-bundle.ts';
import { caBundleUrl } from './ca-bundle-urls.ts';

/**
 * Reads a bundle that came from AWS or a mirror, now or before a restart. Besides being well formed it must hold an RDS
 * root, valid now, of the region it is for (of any region, for `global`): a mirror that serves another region's file,
 * or another organisation's CA, would otherwise make every client of the region fail, or trust the wrong party.
 *
 * @throws {Error} whose message says what is wrong with the text
 */
export function assembleFetchedBundle(id: string, pem: string, now: number): CaBundle {
  const bundle = assembleCaBundle({ id, origin: 'fetched', sourceUrl: caBundleUrl(id), pem }, now);
  const name = id === 'global' ? 'CN=Amazon RDS ' : `CN=Amazon RDS ${id} Root CA `;
  const isItsRoot = bundle.certificates.some(
    ({ caId, subject, notBefore, notAfter }) =>
      caId !== null && subject.includes(name) && notBefore <= now && now < notAfter,
  );
  if (!isItsRoot) throw new Error(`holds no valid RDS root of ${id === 'global' ? 'any region' : `the region ${id}`}`);
  return bundle;
}
