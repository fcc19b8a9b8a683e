import { parentPort } from 'node:worker_threads';

/** A reading thread that does what the id it is asked for says; anything else is its answer. */
parentPort?.on('message', ({ type, number, question }) => {
  if (type === 'close') return parentPort?.close();
  const id: string = question.id ?? '';
  if (id === 'die') process.exit(1);
  if (id === 'throw') throw new Error('a defect');
  if (id === 'hang') for (;;);
  if (id === 'keep silent') return;
  parentPort?.postMessage({ number, reply: { type: 'record', line: id } });
});
