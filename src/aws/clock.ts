/** The two clocks that lives are measured with. */
export type Clock = {
  /** Milliseconds since the epoch; it jumps when somebody sets it. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets, from any start; it may stand still while a machine sleeps. */
  readonly monotonic: () => number;
};
