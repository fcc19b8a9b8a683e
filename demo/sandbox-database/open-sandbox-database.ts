import { once } from 'node:events';
import type { Socket } from 'node:net';
import { listen, portOf } from '../listen.ts';
import { createBackend } from './backend.ts';
import { createFrontDoor, type FrontDoorOptions } from './front-door.ts';
import { startPostgres } from './postgres-thread.ts';
import { SCHEMA } from './schema.ts';

export type SandboxDatabaseOptions = Omit<FrontDoorOptions, 'backend'> & {
  /** On 127.0.0.1; 0 takes any free one. */
  readonly port: number;
};

/** A running stand-in for an RDS for PostgreSQL instance with IAM authentication. */
export type SandboxDatabase = { readonly port: number; close(): Promise<void> };

export async function openSandboxDatabase(options: SandboxDatabaseOptions): Promise<SandboxDatabase> {
  const postgres = await startPostgres(SCHEMA);
  const server = createFrontDoor({ ...options, backend: createBackend(postgres) });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  try {
    await listen(server, options.port);
  } catch (error) {
    await postgres.close();
    throw error;
  }
  return {
    port: portOf(server),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await postgres.close();
      await closed;
    },
  };
}
