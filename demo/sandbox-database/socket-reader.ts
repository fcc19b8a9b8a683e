import type { Duplex } from 'node:stream';

/** Reads packets off a socket, one at a time, so that a connection is served by a function that reads from top to bottom. */
export type SocketReader = {
  /**
   * The next packet, or undefined when the client has gone. `lengthOf` gives a packet's whole length from its first
   * bytes, undefined while there are too few; it throws for a length that is not accepted.
   */
  next(lengthOf: (bytes: Buffer) => number | undefined): Promise<Buffer | undefined>;
  /** Stops reading, and gives back what has arrived and was not asked for. */
  release(): Buffer;
};

export function createSocketReader(socket: Duplex): SocketReader {
  let bytes: Buffer = Buffer.alloc(0);
  let ended = false;
  let wake: (() => void) | undefined;

  function onData(chunk: Buffer): void {
    bytes = Buffer.concat([bytes, chunk]);
    // Without a reader asking, the client has to wait.
    if (!wake) socket.pause();
    wake?.();
  }

  function onEnd(): void {
    ended = true;
    wake?.();
  }

  socket.on('data', onData).on('end', onEnd).on('close', onEnd);
  socket.pause();

  return {
    async next(lengthOf) {
      for (;;) {
        const length = lengthOf(bytes);
        if (length !== undefined && bytes.length >= length) {
          const packet = bytes.subarray(0, length);
          bytes = bytes.subarray(length);
          return packet;
        }
        if (ended) return undefined;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        socket.resume();
        await promise;
        wake = undefined;
      }
    },
    release() {
      socket.pause();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      return bytes;
    },
  };
}
