import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { AgentFailure } from './agent-failure.ts';

/** What is told that the files have changed. */
export type Notice =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly pidFile: string };

type Kill = (pid: number, signal: NodeJS.Signals) => void;

const COMMAND_MS = 30_000;

/** @throws {AgentFailure} where the command fails or takes more than 30 s, or there is no such process. */
export async function notify(notice: Notice, kill: Kill, limitMs = COMMAND_MS): Promise<void> {
  if (notice.kind === 'command') return runCommand(notice.command, kill, limitMs);
  const text = await readFile(notice.pidFile, 'utf8').catch((error: unknown) => {
    throw new AgentFailure(`the process id cannot be read: ${notice.pidFile}`, { cause: error });
  });
  const pid = Number(text.trim());
  // 0 and below are groups of processes.
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new AgentFailure(`${notice.pidFile} holds no process id`);
  try {
    kill(pid, notice.signal);
  } catch (error) {
    throw new AgentFailure(`process ${pid} cannot be sent ${notice.signal}`, { cause: error });
  }
}

/** The token is in the files; neither the command's arguments nor its environment have it. */
async function runCommand(command: string, kill: Kill, limitMs: number): Promise<void> {
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const timer = setTimeout(() => {
    try {
      if (child.pid !== undefined) kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended at this moment.
    }
  }, limitMs);
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : `it ended with ${signal ?? code}`));
  });
  clearTimeout(timer);
  if (ended !== undefined) throw new AgentFailure(`the command failed: ${ended}`);
}
