import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** A connection on which a test writes what it likes. */
export type RawConnection = {
  readonly socket: Socket;
  /** Writes one request with these header lines; it does not wait for answers to those before it. */
  request(method: string, path: string, headers: readonly string[], body?: string): void;
  /** The statuses that came so far, in order. */
  statuses(): number[];
  /** Waits for so many. */
  answered(count: number): Promise<number[]>;
  /** Everything that came. */
  text(): string;
};

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return {
    socket,
    request(method, path, headers, body = '') {
      const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`];
      socket.write([`${method} ${path} HTTP/1.1`, 'host: x', ...headers, ...length, '', body].join('\r\n'));
    },
    statuses,
    answered: (count) =>
      eventually(async () => {
        const found = statuses();
        if (found.length < count) throw new Error(`${found.length} of ${count} answers came`);
        return found;
      }),
    text: () => text,
  };
}
