import { spawn, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('../e2e/moto/requirements.txt', import.meta.url));

/** moto's server, which has AWS's own shapes of IAM and STS, checks signatures and evaluates the policies of users. */
export type MotoServer = {
  readonly url: string;
  /** Calls IAM without a signature, before `enforce`; the answer's XML. */
  iam(action: string, parameters: Readonly<Record<string, string>>): Promise<string>;
  /** Whether every call from now on is checked. At the start none is. */
  enforce(yes: boolean): Promise<void>;
  close(): Promise<void>;
};

/** The Python that has moto: made of the pinned packages the first time, and kept in the user's cache. */
export function motoPython(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rds-token-vendor');
  const folder = join(cache, `moto-${hash('sha256', readFileSync(REQUIREMENTS)).slice(0, 16)}`);
  const python = join(folder, 'bin', 'python3');
  if (existsSync(join(folder, 'complete'))) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  run('python3', ['-m', 'venv', folder]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--no-deps', '-r', REQUIREMENTS]);
  mkdirSync(join(folder, 'incomplete'));
  renameSync(join(folder, 'incomplete'), join(folder, 'complete'));
  return python;
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

export async function startMoto(): Promise<MotoServer> {
  const child = spawn(motoPython(), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    // Port 0 takes a free one.
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const [, found] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void exited.then(() => reject(new Error('moto did not start')));
  });

  async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(new URL(path, url), { method: 'POST', body, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`moto: ${response.status} ${text}`);
    return text;
  }

  return {
    url,
    iam(action, parameters) {
      const body = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters });
      const scope = 'AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/iam/aws4_request';
      return post('/', body.toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
      });
    },
    enforce: async (yes) => void (await post('/moto-api/reset-auth', yes ? '0' : 'inf')),
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
