import { createHash } from 'node:crypto';
import type { CaBundle } from './ca-bundle.ts';
import { parseCaPem } from './parse-ca-pem.ts';

/**
 * Reads a PEM text into a bundle. Its `notAfter` is that of the first certificate still to expire.
 *
 * @throws {Error} when `parseCaPem` refuses the text
 */
export function assembleCaBundle(bundle: Pick<CaBundle, 'id' | 'origin' | 'sourceUrl' | 'pem'>, now: number): CaBundle {
  const certificates = parseCaPem(bundle.pem, now);
  const ends = certificates.map(({ notAfter }) => notAfter).filter((end) => end > now);
  return {
    ...bundle,
    sha256: createHash('sha256').update(bundle.pem).digest('hex'),
    certificates,
    notAfter: Math.min(...ends),
  };
}
