/** How many loads unknown kids may cause, and in what time. */
export const MAX_LOADS = 2;
export const WINDOW_MS = 60_000;

/** Counts the loads that unknown kids cause: attempts, whatever comes of them. */
export type LoadWindow = {
  /** Takes one place if there is one. `now` is in milliseconds since the epoch. */
  take(now: number): boolean;
  /** When there will be a place. */
  nextAt(now: number): number;
};

/**
 * Creates an exact sliding window: any 60 s have at most 2 loads, wherever they begin. What lets pass so much a minute
 * of the clock, or saves up for a burst, would let twice as many pass at the turn.
 */
export function createLoadWindow(): LoadWindow {
  let taken: readonly number[] = [];
  const within = (now: number) => {
    // Those in the future are from before a clock that was put back; they would block for as long as it was.
    taken = taken.filter((at) => at <= now && now - at < WINDOW_MS);
    return taken;
  };
  return {
    take(now) {
      if (within(now).length >= MAX_LOADS) return false;
      taken = [...taken, now];
      return true;
    },
    nextAt(now) {
      const [oldest = now] = within(now);
      return taken.length < MAX_LOADS ? now : oldest + WINDOW_MS;
    },
  };
}
