import { caBundleIdOf } from './catalog.ts';
import { type Finding, type Findings, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';

/** Checks that every database's CA bundle is there, or will be fetched. */
export function checkCaBundles({ databases, caBundles }: Parts, known: ReadonlySet<string> | undefined): Findings {
  if (known === undefined || caBundles === null) return { errors: [], warnings: [] };
  const errors = Object.entries(databases ?? {}).flatMap(([name, database]): Finding[] => {
    if (database === null || typeof database.caBundle === 'object' || caBundles.refresh !== undefined) return [];
    const id = caBundleIdOf(database);
    if (known.has(id)) return [];
    const place = ['databases', name];
    return [
      {
        path: [...place, database.caBundle === undefined ? 'region' : 'caBundle'],
        message: `${formatPath(place)} needs the CA bundle ${id}, which is not built in.`,
        mend: 'Set its caBundle to {file, sha256} with the bundle AWS publishes, or set caBundles.refresh to fetch it.',
      },
    ];
  });
  return { errors, warnings: [] };
}
