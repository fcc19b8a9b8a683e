/**
 * How long keys are used before they are loaded again, give or take the jitter. A key that is withdrawn right after a
 * load (5 s) is refused after the longest interval, one failed try (5 s), its retry (1 s) and another load (5 s): within
 * 6 min 16 s. The rest up to 10 minutes is for further failures.
 */
const REFRESH_MS = 5 * 60_000;
const REFRESH_JITTER = 0.2;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;

/** When the next load of one issuer's keys is due. */
export type LoadSchedule = {
  /** After a success: in 4 to 6 minutes, so that replicas that began together do not load together for ever. */
  afterSuccess(): void;
  /** After a failure: in about 1, 2, 4, … and at most 30 s, or when a load is due anyway. */
  afterFailure(): void;
  /** When the next load begins, milliseconds since the epoch. */
  dueAt(): number;
  close(): void;
};

export type LoadScheduleOptions = {
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onDue: () => void;
};

export function createLoadSchedule({ now, random, onDue }: LoadScheduleOptions): LoadSchedule {
  let timer: NodeJS.Timeout | undefined;
  let due = now();
  let failures = 0;
  let closed = false;

  function within(milliseconds: number): void {
    if (closed || (timer !== undefined && due <= now() + milliseconds)) return;
    clearTimeout(timer);
    due = now() + milliseconds;
    timer = setTimeout(() => {
      timer = undefined;
      onDue();
    }, milliseconds).unref();
  }

  return {
    afterSuccess() {
      failures = 0;
      within(REFRESH_MS * (1 - REFRESH_JITTER + 2 * REFRESH_JITTER * random()));
    },
    afterFailure() {
      within(Math.min(RETRY_MIN_MS * 2 ** failures, RETRY_MAX_MS) * (0.5 + random() / 2));
      failures = Math.min(failures + 1, 10);
    },
    dueAt: () => due,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
