import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FromStore, StoreSetup, ToStore } from './sqlite-messages.ts';
import { createSqliteStore } from './sqlite-store.ts';
import { reasonOf } from './sqlite-write.ts';

// The thread of the SQLite store: `node:sqlite` blocks, and syncs must not stop the event loop that answers requests.
if (parentPort === null) throw new Error('sqlite-worker.ts is started by sqlite-thread.ts');
const setup: StoreSetup = workerData;
serve(parentPort, setup);

function serve(port: MessagePort, setup: StoreSetup): void {
  const store = createSqliteStore(setup);
  const tell = (message: FromStore) => port.postMessage(message);
  try {
    store.open();
    tell({ type: 'opened' });
  } catch (error) {
    tell({ type: 'unopened', reason: reasonOf(error) });
  }
  port.on('message', (first: ToStore) => {
    // Everything that arrived during the last commit goes into this one.
    const messages = [first, ...waitingMessages(port)];
    const batches = messages.flatMap((message) => (message.type === 'batch' ? [message.batch] : []));
    if (batches.length > 0) tell({ type: 'answers', answers: store.write(batches) });
    if (messages.some(({ type }) => type === 'close')) {
      store.close();
      port.close();
    }
  });
}

function waitingMessages(port: MessagePort): ToStore[] {
  const messages: ToStore[] = [];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message: ToStore = next.message;
    messages.push(message);
  }
  return messages;
}
