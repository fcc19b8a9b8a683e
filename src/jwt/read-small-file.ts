import { open } from 'node:fs/promises';

/**
 * Reads a file of at most so many bytes; of a larger one no more than that is ever held.
 *
 * @throws {Error} when it is larger or cannot be read
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(maxBytes + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size);
      size += bytesRead;
      if (size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
      if (bytesRead === 0) return bytes.toString('utf8', 0, size);
    }
  } finally {
    await file.close();
  }
}
