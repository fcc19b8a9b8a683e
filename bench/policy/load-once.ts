import { loadConfig } from '../../src/config/load-config.ts';
import { compileGrants } from '../../src/issuance/grants.ts';

// `load-once.ts FILE`: loads a configuration in a fresh process, as a start does, and prints how long it took
// (milliseconds), the number of grants and the memory that stays (MiB).
const begun = performance.now();
const { grants, catalog } = loadConfig(process.argv[2] ?? '');
const compiled = compileGrants(grants, catalog);
const milliseconds = performance.now() - begun;
globalThis.gc?.();
console.log(
  JSON.stringify({ milliseconds, grants: compiled.all.length, mib: process.memoryUsage().heapUsed / 2 ** 20 }),
);
