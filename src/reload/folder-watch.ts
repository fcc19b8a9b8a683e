import type { FSWatcher } from 'node:fs';
import type { SurveyedFolder } from './survey.ts';

export type FolderWatch = {
  /** Watches these folders and no others; one that has been replaced is watched anew. */
  arm(folders: ReadonlyMap<string, SurveyedFolder>): void;
  close(): void;
};

/** As `watch` of `node:fs` is used here. */
export type WatchFolder = (
  path: string,
  options: { readonly persistent: boolean },
  listener: (event: string, name: string | null) => void,
) => FSWatcher;

export type FolderWatchOptions = {
  readonly watch: WatchFolder;
  readonly onChange: () => void;
  /** A folder cannot be watched; said once for each. Whoever polls still sees its changes. */
  readonly onDeaf: (folder: string, error: unknown) => void;
};

type Armed = { readonly watcher: FSWatcher; readonly folder: SurveyedFolder };

/** Watches folders, never files: a watch on a file is on what it was, and says nothing once another has its name. */
export function createFolderWatch({ watch, onChange, onDeaf }: FolderWatchOptions): FolderWatch {
  const armed = new Map<string, Armed>();
  const deaf = new Set<string>();

  function disarm(path: string): void {
    armed.get(path)?.watcher.close();
    armed.delete(path);
  }

  function hearsNothing(path: string, error: unknown): void {
    disarm(path);
    if (!deaf.has(path)) onDeaf(path, error);
    deaf.add(path);
  }

  function listen(path: string, folder: SurveyedFolder): void {
    try {
      const watcher = watch(path, { persistent: false }, (_event, name) => {
        const { names } = armed.get(path)?.folder ?? folder;
        // Without a name it is about the folder itself, or the system does not say.
        if (names === 'all' || name === null || names.has(name) || path.endsWith(`/${name}`)) onChange();
      });
      watcher.on('error', (error) => hearsNothing(path, error));
      armed.set(path, { watcher, folder });
      deaf.delete(path);
    } catch (error) {
      // The limit of inotify watches is reached, the file system has none, or the folder has just gone.
      hearsNothing(path, error);
    }
  }

  return {
    arm(folders) {
      for (const [path, { folder }] of armed) {
        if (folders.get(path)?.identity !== folder.identity) disarm(path);
      }
      for (const [path, folder] of folders) {
        const known = armed.get(path);
        if (known) armed.set(path, { ...known, folder });
        else if (folder.identity !== null) listen(path, folder);
      }
    },
    close() {
      for (const path of [...armed.keys()]) disarm(path);
    },
  };
}
