import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { createConfigLoader } from '../../src/reload/check-thread.ts';
import { startingHashes } from '../../src/reload/file-hashes.ts';
import { type Reloading, type ReloadingOptions, startReloading } from '../../src/reload/start-reloading.ts';
import { VALID } from './config-file.ts';

/** What the follower of the files told whoever uses the configuration. */
export type Told =
  | { readonly what: 'reload'; readonly next: LoadedConfig; readonly files: readonly string[] }
  | { readonly what: 'keep'; readonly problems: readonly string[] }
  | { readonly what: 'confirm' };

export type FollowedConfig = {
  readonly folder: string;
  readonly main: string;
  readonly reloading: Reloading;
  readonly told: readonly Told[];
  readonly warnings: readonly string[];
  /** How often the files were loaded. */
  loads(): number;
  /** The next thing it is told. */
  next(): Promise<Told>;
  /** Waits until it has surely looked, and fails when it was told something. */
  silence(): Promise<void>;
};

export type FollowChanges = {
  /** Lays out the folder; `config.yaml` in it is the main file. */
  readonly lay?: (folder: string) => void;
  readonly watch?: ReloadingOptions['watch'];
  /** Whether the target takes a configuration. */
  readonly takes?: (next: LoadedConfig) => boolean | Promise<boolean>;
};

/** Far more than a change may take, milliseconds. */
const LONGEST_MS = 10_000;
/** A change is seen within 0.05 s, or 1 s by polling, and settles within 0.15 s. */
const SILENCE_MS = 1700;

/** Follows the real files of a folder of its own, from the first look on. */
export async function followConfig(t: TestContext, changes: FollowChanges = {}): Promise<FollowedConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-reload-'));
  const main = join(folder, 'config.yaml');
  const { lay = () => writeFileSync(main, VALID), takes = () => true, watch } = changes;
  lay(folder);
  const loaded = loadConfig(main);
  const told: Told[] = [];
  const warnings: string[] = [];
  let read = 0;
  let loads = 0;
  const loader = createConfigLoader({});
  const reloading = startReloading({
    main,
    loaded,
    hashes: await startingHashes(main, loaded),
    load() {
      loads++;
      return loader.load(main);
    },
    target: {
      reload(next, files) {
        told.push({ what: 'reload', next, files });
        return Promise.resolve(takes(next));
      },
      keepConfig: (problems) => void told.push({ what: 'keep', problems }),
      confirmConfig: () => void told.push({ what: 'confirm' }),
    },
    onWarning: (details, text) => void warnings.push(`${text} ${JSON.stringify(details)}`),
    watch,
  });
  t.after(async () => {
    await reloading.close();
    await loader.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await pause(400);
  return {
    folder,
    main,
    reloading,
    told,
    warnings,
    loads: () => loads,
    async next() {
      for (const end = performance.now() + LONGEST_MS; performance.now() < end; await pause(5)) {
        const found = told[read];
        if (found !== undefined) {
          read++;
          return found;
        }
      }
      throw new Error('nothing was told');
    },
    async silence() {
      const before = told.length;
      await pause(SILENCE_MS);
      if (told.length !== before) throw new Error(`it was told ${JSON.stringify(told.slice(before))}`);
    },
  };
}

/** The subject of the first grant of what was reloaded, which the tests change. */
export function subjectOf(told: Told): string | undefined {
  return told.what === 'reload' ? told.next.config.grants[0]?.subject : `not reloaded: ${JSON.stringify(told)}`;
}

/** The valid configuration with another subject, which is as long as the one that is there. */
export function withSubject(subject: string): string {
  return VALID.replace('system:serviceaccount:payments:api', `system:serviceaccount:payments:${subject}`);
}
