import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A disk of its own for one test: ext4 in a file. Needs root. */
export type SmallDisk = {
  /** Where it is mounted. */
  readonly path: string;
  /** Writers wait in the kernel until `thaw`: a device that does not answer. */
  freeze(): void;
  thaw(): void;
  /** What ext4 does after an error of the device: read-only at once, whoever has files open. */
  failReadOnly(): void;
};

export function mountSmallDisk(t: TestContext, mebibytes: number): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'rtv-disk-'));
  const image = join(directory, 'disk.img');
  const path = join(directory, 'disk');
  mkdirSync(path);
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: 'pipe' });
  run('truncate', '-s', `${mebibytes}M`, image);
  run('mkfs.ext4', '-q', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
  let frozen = false;
  const thaw = () => {
    if (frozen) run('fsfreeze', '-u', path);
    frozen = false;
  };
  t.after(() => {
    thaw();
    // Whoever has files open on it is ended by another hook.
    run('umount', '-l', path);
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    path,
    freeze() {
      run('fsfreeze', '-f', path);
      frozen = true;
    },
    thaw,
    failReadOnly: () => void run('mount', '-o', 'remount,abort', path),
  };
}
