/** Places for so many at once, in turn. */
export type Places = {
  /** Resolves once there is a place, which `leave` gives back; false at once where too many wait already. */
  enter(): Promise<boolean>;
  leave(): void;
};

export function createPlaces(atOnce: number, mostWaiting: number): Places {
  let taken = 0;
  const waiting: (() => void)[] = [];
  return {
    async enter() {
      if (taken < atOnce) {
        taken += 1;
        return true;
      }
      if (waiting.length >= mostWaiting) return false;
      // Whoever leaves hands its place on.
      await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    },
    leave() {
      const next = waiting.shift();
      if (next) next();
      else taken -= 1;
    },
  };
}
