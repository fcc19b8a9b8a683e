import { createKeySetLoader } from '../../src/jwt/load-key-set.ts';

// Loads a key set from each of the addresses given, in turn and again and again, and prints the memory that this process
// held before and after, and the most it had between. Run with --expose-gc.
const [good = '', ...bad] = process.argv.slice(2);
const ROUNDS = 4;

const load = async (location: string) => {
  const keys = await createKeySetLoader({ issuer: location, jwks: { kind: 'url', location } })('refresh').catch(
    () => null,
  );
  return keys?.keys.length ?? 0;
};

async function held(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

// Code is compiled, pools and the young generation are filled, with nothing but good answers.
for (let count = 0; count < 300; count++) if ((await load(good)) === 0) throw new Error('the good keys are not good');
const heldBefore = await held();
const rssBefore = process.memoryUsage.rss();
let rssMost = 0;
const sampling = setInterval(() => (rssMost = Math.max(rssMost, process.memoryUsage.rss())), 2);
const loaded = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const location of bad) loaded.push(await load(location));
}
clearInterval(sampling);
const heldAfter = await held();
process.stdout.write(JSON.stringify({ heldBefore, heldAfter, rssBefore, rssMost, loaded }));
