import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createAgent } from '../agent/agent.ts';
import { serveHealth } from '../agent/health.ts';
import { readAgentOptions } from './agent-options.ts';
import type { CommandContext, ExitStatus } from './command.ts';

/** What the agent is given of the process besides. */
export type AgentProcess = {
  readonly logger: Logger;
  /** Aborted when the process is asked to end. */
  readonly ending: AbortSignal;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
};

/** `agent`: keeps files with a token fresh, or writes them once. The files stay when it ends. */
export async function agent(context: CommandContext, { logger, ending, kill }: AgentProcess): Promise<ExitStatus> {
  const { options, once, timeoutMs, health } = readAgentOptions(context);
  const clocks = { wall: () => Date.now(), monotonic: () => performance.now() };
  const pause = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
  const running = createAgent(options, { logger, clocks, random: Math.random, pause, kill });
  if (once) return (await running.once(timeoutMs, ending)) ? 0 : 1;
  const serving = health && (await serveHealth(health, running.state));
  if (serving) logger.info({ port: serving.port }, 'health is served');
  try {
    await running.run(ending);
  } finally {
    await serving?.close();
  }
  return 0;
}
