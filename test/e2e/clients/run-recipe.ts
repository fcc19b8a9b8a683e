import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Recipe } from './recipes.ts';

export type RecipeEnv = Readonly<Record<'RTV_URL' | 'RTV_JWT_FILE' | 'RTV_DATABASE' | 'RTV_USER', string>>;

export type RecipeRun = {
  /** Sends a statement and gives the line that comes back; throws when the recipe ends instead. */
  ask(statement: string): Promise<string>;
  /** Ends its input, and gives how it ended. */
  end(): Promise<RecipeEnd>;
};

export type RecipeEnd = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program in a mount namespace where /etc/hosts is the file `$0`. */
const WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"';

/**
 * Starts a recipe as a user does: nothing is set but where the service is, the JWT's file, and what to be. It alone
 * resolves the databases' own names to this machine.
 */
export function startRecipe({ command }: Recipe, hostsFile: string, env: RecipeEnv): RecipeRun {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('unshare', ['-m', 'sh', '-c', WITH_HOSTS, hostsFile, ...command], {
    env: { PATH, HOME, LC_ALL: 'C.UTF-8', ...env },
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`;
    waiting.shift()?.(line);
  });
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  // It may have ended before its input did.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then((): RecipeEnd => ({ status: child.exitCode, stdout, stderr }));
  return {
    async ask(statement) {
      const line = new Promise<string>((resolve) => waiting.push(resolve));
      child.stdin.write(`${statement}\n`);
      const failed = ended.then(({ status }) => {
        throw new Error(`it ended with ${status}: ${stderr}`);
      });
      failed.catch(() => undefined);
      return Promise.race([line, failed]);
    },
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

/** Runs one statement and ends. */
export function runRecipe(recipe: Recipe, hostsFile: string, env: RecipeEnv, statement: string): Promise<RecipeEnd> {
  const run = startRecipe(recipe, hostsFile, env);
  run.ask(statement).catch(() => undefined);
  return run.end();
}
