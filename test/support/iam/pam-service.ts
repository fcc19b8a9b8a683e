import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Debian's PAM module that runs a script, unpacked and not installed: to install it would edit the machine's own
 * common-auth. Kept in the user's cache. `pam_exec` is not enough: it cuts the password at 511 bytes.
 */
export function pamScriptModule(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rds-token-vendor');
  const folder = join(cache, 'libpam-script');
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const unpacked = mkdtempSync(join(cache, 'unpacking-'));
    run('apt-get', ['download', '-qq', 'libpam-script'], unpacked);
    const deb = readdirSync(unpacked).find((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error('apt-get download libpam-script gave no package');
    run('dpkg', ['-x', deb, 'files'], unpacked);
    renameSync(unpacked, folder);
  }
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('pam_script.so'),
  );
  if (found === undefined) throw new Error(`there is no pam_script.so below ${folder}`);
  return join(folder, found);
}

export type PamService = { readonly name: string; remove(): void };

/** A PAM service of its own, whose passwords `POST SOCKET/DATABASE?user=USER` judges. Only root may make one. */
export function makePamService(database: string, socketPath: string): PamService {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-pam-'));
  const name = `rtv-${process.pid}-${database}`;
  const file = join('/etc/pam.d', name);
  const module = join(folder, 'pam_script.so');
  const script = join(folder, 'pam_script_auth');
  writeFileSync(
    script,
    `#!/bin/sh
printf %s "$PAM_AUTHTOK" | /usr/bin/curl -s -f -o /dev/null --max-time 20 --unix-socket ${socketPath} \\
  --data-binary @- "http://iam/${database}?user=$PAM_USER"
`,
  );
  run('cp', [pamScriptModule(), module], folder);
  for (const path of [folder, script, module]) chmodSync(path, 0o755);
  writeFileSync(file, `auth required ${module} dir=${folder}\naccount required pam_permit.so\n`);
  return {
    name,
    remove() {
      rmSync(file, { force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}
