/** What a decision goes by besides the caller. */
export type Circumstances = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The address that the request came from; null where none is known. */
  readonly clientAddress: string | null;
};
