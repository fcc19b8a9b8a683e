import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { Answer, Request, Row } from './postgres-thread.ts';

/*
 * PGlite runs a statement to its end without giving way, so it has a thread to itself: a slow statement then stops
 * neither the issuer nor Ctrl-C.
 */

if (isMainThread || parentPort === null) throw new Error('postgres-worker.ts runs as a worker thread');
const port = parentPort;
const database = await PGlite.create();
await database.exec(String(workerData));

async function answer(request: Request): Promise<Answer> {
  const { id } = request;
  try {
    // A copy: PGlite answers with a view of the buffer that it writes all its answers to.
    if (request.kind === 'exchange') {
      return { id, kind: 'bytes', bytes: (await database.execProtocolRaw(request.message)).slice() };
    }
    const { rows } = await database.query<Row>(request.sql, [...request.parameters]);
    return { id, kind: 'rows', rows };
  } catch (error) {
    return { id, kind: 'failure', text: error instanceof Error ? error.message : String(error) };
  }
}

let last = Promise.resolve();
port.on('message', (request: Request) => {
  last = last.then(async () => port.postMessage(await answer(request)));
});
port.postMessage({ id: 0, kind: 'ready' } satisfies Answer);
