import type { TestContext } from 'node:test';
import { type AdmittedKeys, admitKeys } from '../../src/jwt/admit-keys.ts';
import { createIssuerKeySet } from '../../src/jwt/issuer-key-set.ts';
import type { LoadReason } from '../../src/jwt/load-key-set.ts';
import { ec, jwkOf, NOW, rsa } from '../support/test-issuer.ts';

export const FIRST = admitKeys(JSON.stringify({ keys: [jwkOf(rsa, { kid: 'first' })] }));
export const SECOND = admitKeys(JSON.stringify({ keys: [jwkOf(rsa, { kid: 'second' }), jwkOf(ec, { kid: 'ec' })] }));
export const DAY_MS = 86_400_000;

/** What the source of keys does: gives them at once, fails, or does what the test says. */
export type Answer = AdmittedKeys | Error | (() => Promise<AdmittedKeys>);

/** A source that takes its time, on the clock of the test. */
export function slowly(answer: AdmittedKeys | Error, milliseconds: number): () => Promise<AdmittedKeys> {
  return () =>
    new Promise((resolve, reject) => {
      setTimeout(() => (answer instanceof Error ? reject(answer) : resolve(answer)), milliseconds);
    });
}

/** A source that never answers. */
export const HANGING = () => new Promise<AdmittedKeys>(() => {});

/** A key set whose source, clock, timers and jitter the test drives. */
export function driven(t: TestContext, first: Answer) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = {
    answer: first,
    now: NOW,
    random: 0.5,
    events: [] as string[],
    /** Every load: why, and at which time of the test. */
    loads: [] as { readonly reason: LoadReason; readonly at: number }[],
  };
  const keySet = createIssuerKeySet({
    name: 'cluster',
    load(reason) {
      state.loads.push({ reason, at: state.now - NOW });
      const answer = state.answer;
      if (typeof answer === 'function') return answer();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    keepKeysForMs: DAY_MS,
    now: () => state.now,
    random: () => state.random,
    onEvent: ({ type }) => state.events.push(type),
  });
  t.after(() => keySet.close());
  /** Lets time pass, and everything that is then due happen in its order. */
  const pass = async (milliseconds: number, step = 1000): Promise<void> => {
    await settled();
    for (let left = milliseconds; left > 0; left -= step) {
      state.now += Math.min(step, left);
      t.mock.timers.tick(Math.min(step, left));
      await settled();
    }
  };
  /** Looks a key up for a token that was issued that long before now, milliseconds. */
  const find = (kid: string | undefined, algorithm = 'RS256', age?: number) =>
    keySet.find(kid, algorithm, age === undefined ? undefined : state.now - age);
  return { keySet, state, pass, find };
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
