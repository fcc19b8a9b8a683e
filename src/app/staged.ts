/**
 * A part that was made for the next configuration, beside the one in force. Exactly one of the two functions is called:
 * `commit` once the next configuration is in force, `discard` when it will not be.
 */
export type Staged<Part> = {
  readonly part: Part;
  /** Ends what nobody uses any more. Requests under way may still ask it. */
  commit(): Promise<void> | void;
  /** Ends what was made. */
  discard(): Promise<void> | void;
};
