/** Where in the configuration, as keys and list positions from the top. */
export type ConfigPath = readonly (string | number)[];

/** What a check found, before its place in the file is known. Both sentences end with a full stop. */
export type Finding = {
  readonly path: ConfigPath;
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
  /** Points at the key itself rather than at its value. */
  readonly atKey?: boolean;
};

/** Errors forbid to start; warnings are for the log. */
export type Findings = { readonly errors: readonly Finding[]; readonly warnings: readonly Finding[] };

/** A mistake in the configuration file, or a warning about it. Lines and columns count from 1, columns in characters. */
export type ConfigProblem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Such as `issuers[0].audiences`; '' is the whole file. */
  readonly path: string;
  readonly message: string;
  readonly mend: string;
};

/** The files that a configuration is made of, by absolute path: those that were read, and patterns of those that may come. */
export type ConfigFiles = { readonly files: readonly string[]; readonly patterns: readonly string[] };

/** The configuration cannot be used. Its message has one line for each problem: `file:line:column: what. What to do.` */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  /** How many more there are than are listed. */
  readonly omitted: number;
  /** Where the mend may come from; undefined where not even the main file was read. */
  readonly read: ConfigFiles | undefined;

  constructor(problems: readonly ConfigProblem[], omitted = 0, read?: ConfigFiles) {
    const more = omitted === 0 ? [] : [`${omitted} more problems are not shown.`];
    super([...problems.map(describeProblem), ...more].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.omitted = omitted;
    this.read = read;
  }
}

export function describeProblem({ file, line, column, message, mend }: ConfigProblem): string {
  return `${file}:${line}:${column}: ${message} ${mend}`;
}

/** `issuers[0].claims["kubernetes.io"]` */
export function formatPath(path: ConfigPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[\w-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
