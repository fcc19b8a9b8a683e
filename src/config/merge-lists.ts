import type { ConfigProblem, Finding } from './config-problem.ts';
import type { SourceFile } from './read-sources.ts';

/** The lists that included files add to. */
export type Lists<Grant, PolicyTest> = {
  readonly grants: readonly Grant[];
  readonly policyTests: readonly PolicyTest[];
};

/** What can be made of the lists in a file that the schema refused. */
export function listsIn(value: unknown): Lists<unknown, unknown> {
  const { grants, policyTests }: { grants?: unknown; policyTests?: unknown } =
    typeof value === 'object' && value !== null ? value : {};
  return {
    grants: Array.isArray(grants) ? grants : [],
    policyTests: Array.isArray(policyTests) ? policyTests : [],
  };
}

/** One list of those of all files, in the order of the files. */
export function mergeLists<Grant, PolicyTest>(
  lists: readonly Lists<Grant, PolicyTest>[],
): { grants: Grant[]; policyTests: PolicyTest[] } {
  return {
    grants: lists.flatMap(({ grants }) => grants),
    policyTests: lists.flatMap(({ policyTests }) => policyTests),
  };
}

/** A position in a merged list that a text names, such as `grants[3].allow[0]`. */
const NAMED = /(?<![\w.\])"])(grants|policyTests)\[(\d+)\]((?:\.[\w-]+|\["[^"]*"\]|\[\d+\])*)/g;

/**
 * Makes the function that gives a finding about merged lists its place, in the file that the entry is from. Paths count
 * from the beginning of that file, also in the words; an entry of another file is named with it.
 *
 * @param lists of each file, as they were merged
 */
export function createPlacer(
  files: readonly SourceFile[],
  lists: readonly Lists<unknown, unknown>[],
): (finding: Finding) => ConfigProblem {
  const [main] = files;
  if (main === undefined) throw new Error('there is no main file');
  if (files.length === 1) return main.source.place;
  const starts = { grants: startsOf(lists, 'grants'), policyTests: startsOf(lists, 'policyTests') };

  /** An entry's file, and its position there. */
  function origin(list: 'grants' | 'policyTests', position: number): { from: SourceFile; index: number } | undefined {
    const at = starts[list].findLastIndex((start, file) => start <= position && (lists[file]?.[list].length ?? 0) > 0);
    const from = files[at];
    return from && { from, index: position - (starts[list][at] ?? 0) };
  }

  function inWordsOf(file: SourceFile, text: string): string {
    return text.replaceAll(NAMED, (written, list, position, rest) => {
      const found = origin(list === 'grants' ? 'grants' : 'policyTests', Number(position));
      if (found === undefined) return written;
      return `${list}[${found.index}]${rest}${found.from === file ? '' : ` of ${found.from.file}`}`;
    });
  }

  return (finding) => {
    const [list, position, ...rest] = finding.path;
    const isListed = (list === 'grants' || list === 'policyTests') && typeof position === 'number';
    const found = isListed ? origin(list, position) : undefined;
    const { from, path } =
      found && list !== undefined
        ? { ...found, path: [list, found.index, ...rest] }
        : { from: main, path: finding.path };
    const words = { message: inWordsOf(from, finding.message), mend: inWordsOf(from, finding.mend) };
    return from.source.place({ ...finding, ...words, path });
  };
}

function startsOf(lists: readonly Lists<unknown, unknown>[], list: 'grants' | 'policyTests'): number[] {
  let start = 0;
  return lists.map((one) => {
    start += one[list].length;
    return start - one[list].length;
  });
}
