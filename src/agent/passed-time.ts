/** The clocks of a machine: `wall` jumps, `monotonic` stops while the machine sleeps. Both in milliseconds. */
export type Clocks = { readonly wall: () => number; readonly monotonic: () => number };

/** How much time has passed since now, by the clock that saw more of it: after a sleep or a jump, what is due is due. */
export function startTiming({ wall, monotonic }: Clocks): () => number {
  const [wallStart, monotonicStart] = [wall(), monotonic()];
  return () => Math.max(wall() - wallStart, monotonic() - monotonicStart);
}
