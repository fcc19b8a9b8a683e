import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { assembleCaBundle } from './assemble-ca-bundle.ts';
import type { CaBundle } from './ca-bundle.ts';
import { CaBundleError } from './ca-bundle-error.ts';
import { MAX_CA_PEM_BYTES } from './parse-ca-pem.ts';

/** An operator's own bundle. `sha256` is the hex SHA-256 the file must have. */
export type CaFile = { readonly id: string; readonly file: string; readonly sha256: string };

/**
 * Reads an operator's bundle, once, at start.
 *
 * @throws {CaBundleError} that names the file, when it is unreadable, has another SHA-256 or is no list of CA certificates
 */
export async function readCaFile({ id, file, sha256 }: CaFile, now: number): Promise<CaBundle> {
  const content = await readBounded(file);
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== sha256.toLowerCase()) {
    throw new CaBundleError(
      `The CA bundle ${file} has the SHA-256 ${actual}, but ${sha256} is configured. ` +
        'If the file was changed on purpose, write its new SHA-256 into caBundle.sha256.',
    );
  }
  try {
    // Decoding would replace such bytes, and what is served would no longer be the file that was configured.
    if (!isUtf8(content)) throw new Error('holds bytes that are not UTF-8');
    return assembleCaBundle({ id, origin: 'file', sourceUrl: null, pem: content.toString('utf8') }, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'cannot be read';
    throw new CaBundleError(`The CA bundle ${file} ${why}.`, { cause: error });
  }
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const { size } = await regularFile(file);
    if (size > MAX_CA_PEM_BYTES) throw new Error(`has more than ${MAX_CA_PEM_BYTES} bytes`);
    return await readFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new CaBundleError(`The CA bundle ${file} cannot be read: ${why}.`, { cause: error });
  }
}

/** A pipe or a device would be read without end. */
async function regularFile(file: string): Promise<Stats> {
  const stats = await stat(file);
  if (!stats.isFile()) throw new Error('is not a file');
  return stats;
}
