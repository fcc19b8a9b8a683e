import { measureAudit } from './audit/measure-audit.ts';
import { measureKeys } from './keys/measure-keys.ts';
import { measurePolicy } from './policy/measure-policy.ts';

/*
 * npm run bench -- audit [--records N] [--rounds N] [--seconds N] [--only throughput|sqlite|postgres]
 * npm run bench -- keys [--rate N] [--rounds N] [--seconds N]
 * npm run bench -- policy [--grants N] [--rounds N] [--seconds N]
 *
 * Measures on this machine and prints a table. Figures of different machines, and of different runs of a busy one, are
 * not comparable: ratios within one run are.
 */

const USAGE = `Usage: npm run bench -- audit [--records N] [--rounds N] [--seconds N] [--only throughput|sqlite|postgres]
       npm run bench -- keys [--rate N] [--rounds N] [--seconds N]
       npm run bench -- policy [--grants N] [--rounds N] [--seconds N]`;

const [what, ...args] = process.argv.slice(2);
if (what === 'audit') {
  await measureAudit(args);
} else if (what === 'keys') {
  await measureKeys(args);
} else if (what === 'policy') {
  await measurePolicy(args);
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
