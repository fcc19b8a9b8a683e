import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Tells whether a file holds what it held: the SHA-256 of its bytes, or why it cannot be read. */
export async function fileIdentity(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}
