import { type Config, configSchema } from '../config.ts';
import { type ConfigProblem, type Finding, formatPath } from './config-problem.ts';
import { includedFile } from './grant-schema.ts';
import { createPlacer, listsIn, mergeLists } from './merge-lists.ts';
import { type Parts, partsOf, salvageParts } from './parts.ts';
import type { SourceFile } from './read-sources.ts';
import { explainIssues, generalMend } from './schema-problems.ts';

/** What the schema made of all files together. */
export type CheckedSchemas = {
  /** undefined when it refused something. */
  readonly config: Config | undefined;
  readonly parts: Parts;
  /** Of YAML and of the schema. */
  readonly problems: readonly ConfigProblem[];
  /** For findings about `parts`. */
  readonly place: (finding: Finding) => ConfigProblem;
};

/** Checks each file against its schema, and puts the lists of all of them together. */
export function checkSchemas(main: SourceFile, included: readonly SourceFile[]): CheckedSchemas {
  const { value } = main.source;
  const parsed = configSchema.safeParse(value, { error: generalMend });
  const issues = parsed.success ? [] : explainIssues(parsed.error.issues, value);
  const others = included.map(checkIncluded);
  const problems = [
    ...main.source.problems,
    ...issues.map(main.source.place),
    ...others.flatMap((other) => other.problems),
  ];
  const files = [main, ...included];
  if (parsed.success && others.every(({ data }) => data !== undefined)) {
    const lists = [parsed.data, ...others.flatMap(({ data }) => data ?? [])];
    const config = included.length === 0 ? parsed.data : { ...parsed.data, ...mergeLists(lists) };
    return { config, parts: partsOf(config), problems, place: createPlacer(files, lists) };
  }
  const lists = files.map(({ source }) => listsIn(source.value));
  const whole = included.length === 0 ? value : { ...recordOf(value), ...mergeLists(lists) };
  return { config: undefined, parts: salvageParts(whole), problems, place: createPlacer(files, lists) };
}

function checkIncluded({ source }: SourceFile) {
  const { value, problems, place } = source;
  if (value === undefined) return { data: undefined, problems };
  const { data, error } = includedFile.safeParse(value, { error: generalMend });
  const found = error === undefined ? [] : explainIncluded(value, error.issues);
  return { data, problems: [...problems, ...found.map(place)] };
}

type Issues = Parameters<typeof explainIssues>[0];

/** As in the main file, except for keys at the top: those that it knows cannot stand in any other. */
function explainIncluded(value: unknown, issues: Issues): Finding[] {
  if (Array.isArray(value) || typeof value !== 'object') {
    const mend = 'Write grants: or policyTests: above the list, and indent it.';
    return [{ path: [], message: 'An included file is a map.', mend }];
  }
  const isAtTop = (issue: Issues[number]) => issue.code === 'unrecognized_keys' && issue.path.length === 0;
  const strangers = issues.flatMap((issue) => (isAtTop(issue) && 'keys' in issue ? issue.keys : []));
  return [
    ...strangers.map((key): Finding => {
      const mend = 'Move it to the main file; this one holds grants and policyTests alone.';
      return { path: [key], message: `${formatPath([key])} cannot stand in an included file.`, mend, atKey: true };
    }),
    ...explainIssues(
      issues.filter((issue) => !isAtTop(issue)),
      value,
    ),
  ];
}

function recordOf(value: unknown): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
