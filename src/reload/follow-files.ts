import { resolve } from 'node:path';
import { ConfigError, describeProblem } from '../config/config-problem.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { agree, changedFiles, type FileHashes, hashesOf, hashFiles, isHash } from './file-hashes.ts';
import { type Seen, settleFiles } from './settle-files.ts';
import { type Survey, survey, type SurveyedFolder } from './survey.ts';
import { bothFiles, hasAllFiles, readHashes, type WatchedFiles, watchedFilesOf } from './watched-files.ts';

/** Who uses the configuration. */
export type ReloadTarget = {
  /**
   * false: it is not used, and the target has said why.
   *
   * @param files those that changed
   */
  reload(next: LoadedConfig, files: readonly string[]): Promise<boolean>;
  /** The files hold nothing that can be used. `problems` are sentences, at least one. */
  keepConfig(problems: readonly string[]): void;
  /** The files hold what is in force. */
  confirmConfig(): void;
};

export type FollowedConfig = {
  /** The absolute path of the main file. */
  readonly main: string;
  /** The configuration in force. */
  readonly loaded: LoadedConfig;
  /** What its files held when they were read. */
  readonly hashes: FileHashes;
  /** Reads the main file and what belongs to it. */
  readonly load: () => Promise<LoadedConfig>;
  readonly target: ReloadTarget;
};

export type Follower = {
  /**
   * Hands the target what the files hold, once they hold it for a while.
   *
   * @param requested somebody wants to know, so it is said in any case what comes of it
   */
  follow(requested: boolean): Promise<void>;
  /** Whether the files may have changed since, or a refused configuration is to be tried again. */
  glance(): Promise<boolean>;
};

export type FollowerTools = {
  /** Told of the folders that the files are in, whenever they were looked at. */
  readonly onFolders: (folders: ReadonlyMap<string, SurveyedFolder>) => void;
  readonly rest: (milliseconds: number) => Promise<void>;
};

/** A configuration that cannot be read may depend on files that nobody can name yet, so it is tried again. */
const RETRY_MS = 1000;
/** The part of the time that trying again may take. */
const RETRY_SHARE = 1 / 50;

type Refused = {
  /** What the files held; null when they did not settle. */
  readonly hashes: FileHashes | null;
  readonly problems: readonly string[];
  /** When it is tried again, by `performance.now()`. */
  readonly retryAt: number;
};

const UNSETTLED: Refused = {
  hashes: null,
  problems: ['The files of the configuration change again and again, so that it cannot be read as a whole.'],
  retryAt: Number.POSITIVE_INFINITY,
};

export function createFollower({ main, load, target, ...first }: FollowedConfig, tools: FollowerTools): Follower {
  let inForce = { files: watchedFilesOf(main, first.loaded), hashes: first.hashes };
  let watched: WatchedFiles = inForce.files;
  let refused: Refused | null = null;
  let signature = '';

  async function surveyWatched(): Promise<Survey> {
    const found = await survey(watched);
    tools.onFolders(found.folders);
    return found;
  }

  async function look(): Promise<Seen> {
    // Before they are read: what changes later has another signature.
    const found = await surveyWatched();
    return { signature: found.signature, hashes: await hashFiles(watched) };
  }

  /** Says so unless it has been said. */
  function keep(next: Refused, requested: boolean): void {
    const isNews = refused?.problems.join('\n') !== next.problems.join('\n');
    refused = next;
    if (isNews || requested) target.keepConfig(next.problems);
  }

  function confirm(requested: boolean): void {
    if (requested || refused !== null) target.confirmConfig();
    refused = null;
    watched = inForce.files;
  }

  function isRefused({ hashes }: Seen): boolean {
    if (refused === null || refused.hashes === null) return false;
    return performance.now() < refused.retryAt && agree(refused.hashes, hashes);
  }

  /** Gives false when the files have to be looked at again. */
  async function replace(seen: Seen, requested: boolean): Promise<boolean> {
    const begun = performance.now();
    const read = await readConfig(main, load, seen.hashes);
    const retryAt = performance.now() + Math.max(RETRY_MS, (performance.now() - begun) / RETRY_SHARE);
    // Swapped while they were read: what was read may be of two configurations.
    if ((await surveyWatched()).signature !== seen.signature) return false;
    if (!read.ok) {
      watched = bothFiles(watched, read.watched);
      keep({ hashes: seen.hashes, problems: read.problems, retryAt }, requested);
      return true;
    }
    const wanted = watchedFilesOf(main, read.loaded);
    if (!hasAllFiles(watched, wanted)) {
      watched = bothFiles(watched, wanted);
      return false;
    }
    if (!agree(readHashes(read.loaded), seen.hashes)) return false;
    const hashes = hashesOf(wanted, seen.hashes);
    if (await target.reload(read.loaded, changedFiles(inForce.hashes, hashes))) {
      inForce = { files: wanted, hashes };
      watched = wanted;
      refused = null;
    } else {
      refused = { hashes: seen.hashes, problems: [], retryAt: Number.POSITIVE_INFINITY };
    }
    return true;
  }

  return {
    async follow(requested) {
      for (;;) {
        const seen = await settleFiles(look, tools.rest, () => keep(UNSETTLED, false));
        signature = seen.signature;
        if (agree(inForce.hashes, seen.hashes)) return confirm(requested);
        if (!requested && isRefused(seen)) return;
        if (await replace(seen, requested)) return;
      }
    },
    async glance() {
      const found = await surveyWatched();
      return found.signature !== signature || (refused !== null && performance.now() >= refused.retryAt);
    },
  };
}

type Read =
  | { readonly ok: true; readonly loaded: LoadedConfig }
  | { readonly ok: false; readonly problems: readonly string[]; readonly watched: WatchedFiles };

const NOTHING: WatchedFiles = { files: new Set(), patterns: new Set() };

async function readConfig(main: string, load: () => Promise<LoadedConfig>, hashes: FileHashes): Promise<Read> {
  const found = hashes.get(main) ?? '';
  // Whoever reads it would wait for a pipe without end.
  if (!isHash(found)) return { ok: false, problems: [`${main}:1:1: The file ${found}.`], watched: NOTHING };
  try {
    return { ok: true, loaded: await load() };
  } catch (error) {
    if (error instanceof ConfigError) {
      const { problems, read } = error;
      const files = new Set([...problems.map(({ file }) => resolve(file)), ...(read?.files ?? [])]);
      return {
        ok: false,
        problems: problems.map(describeProblem),
        watched: { files, patterns: new Set(read?.patterns) },
      };
    }
    return { ok: false, problems: [error instanceof Error ? error.message : 'unknown error'], watched: NOTHING };
  }
}
