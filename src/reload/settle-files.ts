import { agree, type FileHashes } from './file-hashes.ts';

/** What the watched files are at one time. */
export type Seen = {
  /** Of the survey that was made before they were read. */
  readonly signature: string;
  readonly hashes: FileHashes;
};

/** Files that are the same for so long are not half written, milliseconds. */
const SETTLE_MS = 150;
/** Files that do not settle within this are complained about. */
const UNSETTLED_MS = 5000;

/** Looks until the files are the same twice. */
export async function settleFiles(
  look: () => Promise<Seen>,
  rest: (milliseconds: number) => Promise<void>,
  onUnsettled: () => void,
): Promise<Seen> {
  let complainAt = performance.now() + UNSETTLED_MS;
  let before = await look();
  for (;;) {
    await rest(SETTLE_MS);
    const after = await look();
    if (after.signature === before.signature && agree(before.hashes, after.hashes)) return after;
    before = after;
    if (performance.now() < complainAt) continue;
    complainAt = Number.POSITIVE_INFINITY;
    onUnsettled();
  }
}
