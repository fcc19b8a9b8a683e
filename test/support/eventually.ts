import { setTimeout as pause } from 'node:timers/promises';

/** Tries until it succeeds; after `withinMs` the last failure is thrown. */
export async function eventually<T>(attempt: () => Promise<T>, withinMs = 10_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(20);
    }
  }
}
