import type { Logger } from 'pino';
import { askForToken, type Vended, type Wanted } from './ask-for-token.ts';
import { AgentFailure } from './agent-failure.ts';
import { type Files, writeCredentials } from './credential-files.ts';
import { type Notice, notify } from './notify.ts';
import { type Clocks, startTiming } from './passed-time.ts';
import { backOffMs, refreshMs } from './refresh-times.ts';

export type AgentOptions = Files & { readonly wanted: Wanted; readonly notice: Notice | undefined };

export type AgentParts = {
  readonly logger: Pick<Logger, 'info' | 'error'>;
  readonly clocks: Clocks;
  readonly random: () => number;
  /** Resolves after so many milliseconds, or when `signal` is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
};

/** What the health endpoint shows. */
export type AgentState = {
  /** Whether the files hold a token that lives. */
  readonly fresh: boolean;
  readonly expiresAt: string | null;
  readonly auditId: string | null;
  readonly failuresInARow: number;
  readonly lastFailure: string | null;
};

/** How long one wait may be: after it the clocks are looked at again, milliseconds. */
const LOOK_MS = 30_000;

/** Keeps files fresh until it is told to end. */
export function createAgent(options: AgentOptions, parts: AgentParts) {
  let written: { readonly vended: Vended; readonly age: () => number } | null = null;
  let failures = 0;
  let lastFailure: string | null = null;
  let isFinal = false;

  /** Asks for a token and writes it. @throws {AgentFailure} */
  async function refresh(): Promise<void> {
    // Before it is asked for: its life began then or later.
    const age = startTiming(parts.clocks);
    const vended = await askForToken(options.wanted);
    await writeCredentials(options.wanted.url, vended, options);
    written = { vended, age };
    failures = 0;
    lastFailure = null;
    parts.logger.info({ audit_id: vended.auditId, expires_at: vended.expiresAt }, 'the files hold a new token');
    await tell();
  }

  /** The files are right, whoever could not be told: the next change tells again. */
  async function tell(): Promise<void> {
    if (options.notice === undefined) return;
    try {
      await notify(options.notice, parts.kill);
    } catch (error) {
      lastFailure = wordsOf(error);
      parts.logger.error({ err: error }, 'nobody was told of the new token');
    }
  }

  /** One try; gives how long to wait for the next, milliseconds. */
  async function attempt(): Promise<number> {
    try {
      await refresh();
      return written === null ? 0 : refreshMs(written.vended, parts.random);
    } catch (error) {
      // Whatever it is: the files are still good for a while, and the next try may succeed.
      failures += 1;
      lastFailure = wordsOf(error);
      const failure = error instanceof AgentFailure ? error : undefined;
      isFinal = failure?.isFinal ?? false;
      const waitMs = Math.max(backOffMs(failures, parts.random), failure?.retryAfterMs ?? 0);
      const { auditId } = failure ?? {};
      parts.logger.error(
        {
          err: error,
          failures,
          ...(auditId === undefined ? {} : { audit_id: auditId }),
          retry_in_ms: Math.round(waitMs),
        },
        'no new token',
      );
      return waitMs;
    }
  }

  /** Waits by whichever clock is ahead, or until `signal`. */
  async function wait(ms: number, signal: AbortSignal): Promise<void> {
    const passed = startTiming(parts.clocks);
    while (!signal.aborted && passed() < ms) {
      await parts.pause(Math.min(ms - passed(), LOOK_MS), signal);
    }
  }

  return {
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) await wait(await attempt(), signal);
    },
    /** Writes one token, trying for so long unless that is of no use; false where there is none. */
    async once(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
      const passed = startTiming(parts.clocks);
      for (;;) {
        const waitMs = await attempt();
        if (failures === 0) return true;
        if (signal.aborted || isFinal || passed() + waitMs >= timeoutMs) {
          parts.logger.error({ failures }, `given up: no token was written. ${lastFailure ?? ''}`);
          return false;
        }
        await wait(waitMs, signal);
      }
    },
    state: (): AgentState => ({
      fresh: written !== null && written.age() < written.vended.lifeMs,
      expiresAt: written?.vended.expiresAt ?? null,
      auditId: written?.vended.auditId ?? null,
      failuresInARow: failures,
      lastFailure,
    }),
  };
}

/** What the health endpoint may show: of an error that is none of ours nothing is known, so nothing of it is shown. */
function wordsOf(error: unknown): string {
  return error instanceof AgentFailure ? error.message : 'an unexpected error, which the log has';
}
