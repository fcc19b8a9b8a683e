import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createCheckpointSigner } from './chain/checkpoint.ts';
import { loadOrCreateCheckpointKey } from './chain/checkpoint-key.ts';
import { logOrigin } from './chain/log-origin.ts';
import { createStore } from './open-store.ts';
import type { Batch, FromWriter, ToWriter, WriterSetup } from './store-messages.ts';
import { createTidying } from './tidying.ts';
import { createWriter } from './writer.ts';

/** How often what nobody waits for gets a turn. Milliseconds. */
const TICK = 200;

// The thread that writes records: stores block, and neither syncs nor hashes may stop the event loop that answers requests.
if (parentPort === null) throw new Error('writer-worker.ts is started by writer-thread.ts');
const setup: WriterSetup = workerData;
await serve(parentPort, setup);

async function serve(port: MessagePort, setup: WriterSetup): Promise<void> {
  const tell = (message: FromWriter) => port.postMessage(message);
  let copies: string[] = [];
  let signer: ReturnType<typeof createCheckpointSigner>;
  try {
    signer = createCheckpointSigner(logOrigin(setup.instance), loadOrCreateCheckpointKey(setup.checkpointKeyFile));
  } catch (error) {
    tell({ type: 'unopened', reason: error instanceof Error ? error.message : String(error) });
    return port.close();
  }
  const store = await createStore(setup.store, setup.instance);
  const writer = createWriter({
    store,
    signer,
    instance: setup.instance,
    diskReserve: setup.diskReserve,
    now: Date.now,
    onCheckpoint: (note) => tell({ type: 'checkpoint', note }),
    onCopies: setup.copies ? (lines) => copies.push(...lines) : null,
  });
  const tidying = createTidying(store, {
    retention: setup.retention,
    now: Date.now,
    onNotice: (level, text) => tell({ type: 'notice', level, text }),
  });

  const waiting: ToWriter[] = [];
  let working = true;
  let ended = false;

  /** Everything that arrived during the last commit goes into the next one. */
  async function work(): Promise<void> {
    if (working) return;
    working = true;
    for (;;) {
      waiting.push(...waitingMessages(port));
      const messages = waiting.splice(0);
      if (messages.length === 0) break;
      const batches = messages.flatMap(batchIn);
      if (batches.length > 0) {
        const answers = await writer.write(batches);
        tell({ type: 'answers', answers, copies });
        copies = [];
      }
      if (messages.some(({ type }) => type === 'close')) return end();
    }
    working = false;
  }

  async function end(): Promise<void> {
    ended = true;
    clearInterval(ticking);
    await writer.close();
    port.close();
  }

  /** Between the writes. */
  async function tick(): Promise<void> {
    if (working || ended) return;
    working = true;
    await writer.keepCheckpoint();
    await tidying.slice();
    working = false;
    await work();
  }

  port.on('message', (message: ToWriter) => {
    waiting.push(message);
    void work();
  });
  const ticking = setInterval(() => void tick(), TICK);
  try {
    await writer.open(setup.create);
    tell({ type: 'opened', verifierKey: signer.verifierKey });
  } catch (error) {
    tell({ type: 'unopened', reason: error instanceof Error ? error.message : String(error) });
  }
  working = false;
  await work();
}

function batchIn(message: ToWriter): Batch[] {
  return message.type === 'batch' ? [{ ...message, rows: JSON.parse(message.rows) }] : [];
}

function waitingMessages(port: MessagePort): ToWriter[] {
  const messages: ToWriter[] = [];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message: ToWriter = next.message;
    messages.push(message);
  }
  return messages;
}
