import type { Store } from './store.ts';

/** Every so often the store looks for what can go. Milliseconds. */
const INTERVAL = 60_000;

export type TidyingOptions = {
  /** How long records are kept, milliseconds; null for ever. */
  readonly retention: number | null;
  readonly now: () => number;
  readonly onNotice: (level: 'info' | 'warn', text: string) => void;
};

/** What a store does when nobody waits: partitions of tomorrow, retired records. In slices, so that nobody waits long. */
export function createTidying(store: Pick<Store, 'tidy'>, options: TidyingOptions): { slice(): Promise<void> } {
  const { retention, now, onNotice } = options;
  let next = 0;
  return {
    async slice() {
      const time = now();
      if (time < next && next - time <= INTERVAL) return;
      try {
        const more = await store.tidy(retention === null ? null : time - retention);
        if (!more) next = time + INTERVAL;
      } catch (error) {
        next = time + INTERVAL;
        onNotice('warn', `tidying the audit store failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}
