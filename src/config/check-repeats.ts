import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import { duplicates } from './duplicates.ts';

type Lists = {
  readonly users?: readonly string[] | undefined;
  readonly userPrefixes?: readonly string[] | undefined;
  readonly endpoints?: readonly string[] | undefined;
};

/** Checks that the lists of an allow or a deny name nothing twice. */
export function checkRepeats(path: ConfigPath, { users, userPrefixes, endpoints }: Lists): Finding[] {
  return [
    ...repeats(path, 'users', users),
    ...repeats(path, 'userPrefixes', userPrefixes),
    ...repeats(path, 'endpoints', endpoints),
  ];
}

function repeats(path: ConfigPath, key: string, list: readonly string[] = []): Finding[] {
  // Most lists are short and right.
  if (list.length < 2 || new Set(list).size === list.length) return [];
  return duplicates(list).map(({ index, value }) => ({
    path: [...path, key, index],
    message: `${formatPath([...path, key])} lists ${value} twice.`,
    mend: 'Keep one of them.',
  }));
}
