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

/** The configuration cannot be used. Its message has one line for each problem: `file:line:column: what. What to do.` */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
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
