import { Worker } from 'node:worker_threads';

export type Request =
  | { readonly id: number; readonly kind: 'exchange'; readonly message: Uint8Array }
  | { readonly id: number; readonly kind: 'query'; readonly sql: string; readonly parameters: readonly unknown[] };
export type Answer = { readonly id: number } & (
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'failure'; readonly text: string }
  | { readonly kind: 'ready' }
);

export type Row = Readonly<Record<string, unknown>>;

/** A PostgreSQL (PGlite) in a thread of its own. It has one session, and whoever calls it is the superuser. */
export type PostgresThread = {
  /** Passes one protocol message on and resolves with all that the server has to say to it. */
  exchange(bytes: Uint8Array): Promise<Buffer>;
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
};

/** Starts it, in memory, and runs `schema`. */
export async function startPostgres(schema: string): Promise<PostgresThread> {
  const worker = new Worker(new URL('./postgres-worker.ts', import.meta.url), { workerData: schema });
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let lastId = 0;
  let end: Error | undefined;

  function finish(error: Error): void {
    end ??= error;
    for (const { reject } of waiting.values()) reject(end);
    waiting.clear();
  }

  function ask(request: (id: number) => Request): Promise<Answer> {
    if (end) return Promise.reject(end);
    const answer = Promise.withResolvers<Answer>();
    const id = ++lastId;
    waiting.set(id, answer);
    worker.postMessage(request(id));
    return answer.promise;
  }

  const ready = Promise.withResolvers<Answer>();
  waiting.set(0, ready);
  worker.on('message', (message: Answer) => {
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'failure') answer?.reject(new Error(message.text));
    else answer?.resolve(message);
  });
  worker.on('error', (error) => finish(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => finish(new Error('the sandbox PostgreSQL has ended')));
  await ready.promise;

  return {
    async exchange(bytes) {
      // A copy: sending a view to a thread would send the whole buffer behind it.
      const message = new Uint8Array(bytes);
      const answer = await ask((id) => ({ id, kind: 'exchange', message }));
      return Buffer.from(answer.kind === 'bytes' ? answer.bytes : []);
    },
    async query(sql, parameters = []) {
      const answer = await ask((id) => ({ id, kind: 'query', sql, parameters }));
      return answer.kind === 'rows' ? answer.rows : [];
    },
    async close() {
      await worker.terminate();
    },
  };
}
