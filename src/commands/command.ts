/** What a command is given of the process, so that only main.ts touches it. */
export type CommandContext = {
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Standard input, as it comes. */
  input(): AsyncIterable<Uint8Array | string>;
  /** Writes one line to standard output. */
  print(line: string): void;
  /** Writes text to standard output; resolves when more may follow, so that a slow reader fills no memory. */
  write(text: string): Promise<void>;
  /** Writes one line to standard error. */
  printError(line: string): void;
};

/** The exit status of a command that ended: 0 done, 1 failed, 2 called wrongly. */
export type ExitStatus = 0 | 1 | 2;

/** A mistake in how a command is called. */
export class UsageError extends Error {}
