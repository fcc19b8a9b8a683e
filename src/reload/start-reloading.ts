import { watch as watchFolder } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { createFollower, type FollowedConfig } from './follow-files.ts';
import { createFolderWatch, type WatchFolder } from './folder-watch.ts';

export type ReloadingOptions = FollowedConfig & {
  readonly onWarning: (details: object, text: string) => void;
  /** Instead of `watch` of `node:fs`. */
  readonly watch?: WatchFolder | undefined;
};

export type Reloading = {
  /** Looks at the files now, changed or not, and says what came of it. */
  request(): void;
  close(): Promise<void>;
};

/** Changes that come together are one, milliseconds. */
const DEBOUNCE_MS = 50;
const POLL_MS = 1000;
/** The part of the time that looking may take, where there are very many files or a slow file system. */
const POLL_SHARE = 1 / 50;

/**
 * Follows the files of the configuration in force. Their folders are watched, and looked at every second too, because
 * watching can be deaf: network file systems tell nothing, and the number of watches is limited.
 */
export function startReloading({ onWarning, watch = watchFolder, ...followed }: ReloadingOptions): Reloading {
  const closing = new AbortController();
  const { signal } = closing;
  let queued: 'nothing' | 'change' | 'request' = 'nothing';
  let underWay: Promise<void> | undefined;

  const folders = createFolderWatch({
    watch,
    onChange: () => enqueue('change'),
    onDeaf: (folder, err) => onWarning({ folder, err }, 'a folder cannot be watched; it is looked at every second'),
  });
  const follower = createFollower(followed, { rest, onFolders: (found) => folders.arm(found) });

  async function rest(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal, ref: false });
  }

  /** One at a time; whatever comes meanwhile is one more. */
  function enqueue(cause: 'change' | 'request'): void {
    if (queued !== 'request') queued = cause;
    underWay ??= work();
  }

  async function work(): Promise<void> {
    do {
      await unlessClosing(async () => {
        await rest(DEBOUNCE_MS);
        const requested = queued === 'request';
        queued = 'nothing';
        await follower.follow(requested);
      });
    } while (isQueued());
    underWay = undefined;
  }

  function isQueued(): boolean {
    return queued !== 'nothing' && !signal.aborted;
  }

  async function poll(): Promise<void> {
    for (let wait = POLL_MS; !signal.aborted; ) {
      await unlessClosing(async () => {
        await rest(wait);
        const begun = performance.now();
        if (underWay === undefined && (await follower.glance())) enqueue('change');
        wait = Math.max(POLL_MS, (performance.now() - begun) / POLL_SHARE);
      });
    }
  }

  async function unlessClosing(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (err) {
      if (!signal.aborted) followed.target.keepConfig([err instanceof Error ? err.message : 'unknown error']);
    }
  }

  // Something may have changed since the configuration was read.
  enqueue('change');
  const polling = poll();
  return {
    request: () => enqueue('request'),
    async close() {
      closing.abort();
      folders.close();
      await Promise.all([underWay, polling]);
      // A look that was under way may have armed some again.
      folders.close();
    },
  };
}
