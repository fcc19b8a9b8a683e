import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Puts a text in a file so that a reader sees the old text or the new one whole: written beside it with its mode, flushed,
 * renamed over it. A link in its place is replaced, not followed.
 */
export async function writeFileAtomically(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${randomBytes(6).toString('hex')}.tmp`);
  // `wx`: nothing that somebody put there is written to.
  const file = await open(beside, 'wx', mode);
  try {
    try {
      // The process's umask took away from what `open` was told.
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
