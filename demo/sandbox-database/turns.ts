/** Lets one caller at a time go on, in the order in which they came. */
export type Turns = {
  /** Resolves with the function that ends the turn. Rejects when it has not come within `timeoutMs`. */
  take(timeoutMs: number): Promise<() => void>;
};

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let taken = false;

  function next(): void {
    const start = waiting.shift();
    if (start) start();
    else taken = false;
  }

  function endOnce(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      next();
    };
  }

  return {
    take(timeoutMs) {
      if (!taken) {
        taken = true;
        return Promise.resolve(endOnce());
      }
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const start = (): void => {
        clearTimeout(timer);
        resolve(endOnce());
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new Error(`no turn within ${timeoutMs} ms`));
      }, timeoutMs);
      waiting.push(start);
      return promise;
    },
  };
}
