import type { Connection, Query } from './connection.ts';

/** At most so many connections, opened when they are needed. */
export type Pool = { readonly query: Query; close(): Promise<void> };

export function createPool(open: () => Promise<Connection>, most: number): Pool {
  const idle: Connection[] = [];
  const inUse = new Set<Connection>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closed = false;

  async function take(): Promise<Connection> {
    if (closed) throw new Error('it is closed');
    if (taken >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else taken += 1;
    try {
      if (closed) throw new Error('it is closed');
      for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
        if (connection.isAlive()) return connection;
        await connection.close();
      }
      const opened = await open();
      if (!closed) return opened;
      await opened.close();
      throw new Error('it is closed');
    } catch (error) {
      passOn();
      throw error;
    }
  }

  /** The place of one that is done goes to the one that waits longest. */
  function passOn(): void {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  }

  return {
    async query(statement, timeout) {
      const connection = await take();
      inUse.add(connection);
      try {
        return await connection.query(statement, timeout);
      } finally {
        inUse.delete(connection);
        if (connection.isAlive()) idle.push(connection);
        else await connection.close();
        passOn();
      }
    },
    async close() {
      closed = true;
      await Promise.all([...idle.splice(0), ...inUse].map((connection) => connection.close()));
    },
  };
}
