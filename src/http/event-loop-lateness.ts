/** How late the event loop is. */
export type LatenessWatch = {
  /** Milliseconds; 0 while it is on time. */
  lateness(): number;
  close(): void;
};

/** Milliseconds between two looks. */
const PERIOD = 50;

/**
 * Watches how much later than due a timer fires. The event loop runs its timers before it reads its sockets: whoever asks
 * while a request is read gets the lateness of this very turn of the loop, and zero again in the first turn that is on
 * time.
 */
export function watchLateness(): LatenessWatch {
  let due = performance.now() + PERIOD;
  let late = 0;
  const timer = setInterval(() => {
    const time = performance.now();
    late = Math.max(0, time - due);
    due = time + PERIOD;
  }, PERIOD).unref();
  return {
    // The turn that goes on for long is late before its timer can say so.
    lateness: () => Math.max(late, performance.now() - due, 0),
    close: () => clearInterval(timer),
  };
}
