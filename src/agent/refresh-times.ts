/** Milliseconds until the next try after this many failures in a row: doubled from 1 s to 60 s, and never all at once. */
export function backOffMs(failures: number, random: () => number): number {
  const most = Math.min(60_000, 1000 * 2 ** Math.min(failures - 1, 10));
  return most / 2 + (random() * most) / 2;
}

/**
 * Milliseconds after a token was asked for until it is replaced: at its `refresh_after`, and up to a tenth of the rest of
 * its life later, so that a thousand agents that began together do not ask together.
 */
export function refreshMs(
  token: { readonly refreshMs: number; readonly lifeMs: number },
  random: () => number,
): number {
  return token.refreshMs + random() * (token.lifeMs - token.refreshMs) * 0.1;
}
