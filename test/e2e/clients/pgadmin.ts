import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '9.18';

/** The Python that has pgAdmin: installed the first time, and kept in the user's cache. */
export function pgadminPython(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rds-token-vendor');
  const folder = join(cache, `pgadmin4-${VERSION}`);
  const done = join(folder, 'installed');
  if (!existsSync(done)) {
    mkdirSync(cache, { recursive: true });
    run('python3', ['-m', 'venv', '--clear', folder]);
    run(join(folder, 'bin', 'pip'), ['install', '-q', `pgadmin4==${VERSION}`]);
    writeFileSync(done, '');
  }
  return join(folder, 'bin', 'python');
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
}
