import { setTimeout as sleep } from 'node:timers/promises';
import { post } from './running-service.ts';

/** One answer, or the failure to get one (`status` 0). */
export type Answered = {
  readonly status: number;
  /** When it came, milliseconds of `performance.now()`, and how long it took. */
  readonly at: number;
  readonly ms: number;
  readonly auditId: string | null;
  readonly hasToken: boolean;
};

export type Asking = {
  readonly answers: readonly Answered[];
  /** Lets each client finish what it has begun. */
  stop(): Promise<void>;
  /** Resolves with the first answer of that status from now on. */
  next(status: number): Promise<Answered>;
};

/** Clients that ask for tokens without a pause until they are stopped. */
export function startAsking(publicUrl: string, authorization: string, clients: number): Asking {
  const url = new URL('/v1/tokens', publicUrl);
  const answers: Answered[] = [];
  const stopping = new AbortController();

  async function ask(): Promise<Answered> {
    const begun = performance.now();
    try {
      const response = await fetch(url, {
        ...post({ database: 'orders', user: 'app_rw' }, { authorization }),
        signal: AbortSignal.timeout(10_000),
      });
      const body: { readonly audit_id?: string; readonly token?: string } = JSON.parse(await response.text());
      const at = performance.now();
      return {
        status: response.status,
        at,
        ms: at - begun,
        auditId: body.audit_id ?? null,
        hasToken: body.token !== undefined,
      };
    } catch {
      const at = performance.now();
      return { status: 0, at, ms: at - begun, auditId: null, hasToken: false };
    }
  }

  async function askOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      const answer = await ask();
      answers.push(answer);
      // Nobody listens: a service that is starting again is not helped by a hot loop.
      if (answer.status === 0) await sleep(20);
    }
  }

  const running = Promise.all(Array.from({ length: clients }, askOn));
  return {
    answers,
    async stop() {
      stopping.abort();
      await running;
    },
    async next(status) {
      for (let seen = answers.length; ; await sleep(5)) {
        for (; seen < answers.length; seen++) {
          const answer = answers[seen];
          if (answer?.status === status) return answer;
        }
      }
    },
  };
}

/** What went wrong, if anything: an answer that took longer than it may, or that is neither a token nor a 503. */
export function unfit(answers: readonly Answered[], mostMs: number): readonly Answered[] {
  return answers.filter(
    ({ status, ms, hasToken }) => ![201, 503].includes(status) || ms > mostMs || hasToken !== (status === 201),
  );
}
