import { readFileSync } from 'node:fs';
import closeWithGrace from 'close-with-grace';
import pino, { type Logger } from 'pino';
import { check } from './commands/check.ts';
import { type CommandContext, type ExitStatus, UsageError } from './commands/command.ts';
import { printable } from './commands/printable.ts';
import { serve, type Serving } from './commands/serve.ts';
import { USAGE, usageOf } from './commands/usage.ts';
import { createLogger } from './logger.ts';

/* The edge of the process: the only user of `process`. */

const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const version =
  typeof manifest === 'object' && manifest && 'version' in manifest ? String(manifest.version) : 'unknown';

const ENDING = ['SIGINT', 'SIGTERM'] as const;
/** npm and shells hand on a signal that the whole process group has had already. Milliseconds. */
const SAME_SIGNAL_MS = 1000;

await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<void> {
  const [word = ''] = argv;
  const named = word !== '' && !word.startsWith('-');
  const context: CommandContext = {
    args: named ? argv.slice(1) : argv,
    env: process.env,
    version,
    input: () => process.stdin,
    print: (line) => process.stdout.write(`${line}\n`),
    write: (text) =>
      new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve()))),
    printError: (line) => process.stderr.write(`${line}\n`),
  };
  try {
    if (argv.includes('--help') || argv.includes('-h') || word === 'help') return context.print(USAGE);
    if (word === '--version') return context.print(version);
    if (!named || word === 'serve') return await serveUntilSignal(context);
    if (word === 'check') return exit(await check(context));
    if (word === 'explain') return await runExplain(context);
    if (word === 'audit') return await runAudit(context);
    if (word === 'agent') return await runAgent(context);
    throw new UsageError(`There is no command ${JSON.stringify(word)}.`);
  } catch (error) {
    if (error instanceof UsageError) {
      context.printError(`${error.message}\n\n${usageOf(word)}`);
      return exit(2);
    }
    // It may name files, instances and values that strangers chose.
    const lines = error instanceof Error ? error.message.split('\n') : ['unknown error'];
    context.printError(lines.map(printable).join('\n'));
    return exit(1);
  }
}

/** Loaded when it is asked for, like the next one. */
async function runExplain(context: CommandContext): Promise<void> {
  const { explain } = await import('./commands/explain.ts');
  exit(await explain(context));
}

/** Loaded when it is asked for: it would be most of what a start of the service reads. */
async function runAudit(context: CommandContext): Promise<void> {
  process.stdout.on('error', (error) => {
    // `audit export | head`: whoever reads has enough.
    if (!('code' in error) || error.code !== 'EPIPE') context.printError(error.message);
    process.exit(1);
  });
  const { audit } = await import('./commands/audit.ts');
  exit(await audit(context));
}

/** In a module of its own that the service does not load. */
async function runAgent(context: CommandContext): Promise<void> {
  const { agent } = await import('./commands/agent.ts');
  const logger = createLogger(pino.destination({ dest: 1, sync: true }));
  const ending = new AbortController();
  for (const signal of ENDING) process.once(signal, () => ending.abort());
  const kill = (pid: number, signal: NodeJS.Signals) => process.kill(pid, signal);
  exit(await agent(context, { logger, ending: ending.signal, kill }));
}

async function serveUntilSignal(context: CommandContext): Promise<void> {
  const logger = createLogger(pino.destination({ dest: 1, sync: true }));
  let serving: Serving | undefined;
  // From the first moment on: without a listener the signal ends the process. Once it serves, it looks at the files anyway.
  process.on('SIGHUP', () => serving?.reload());
  const ending = endOnSignals(logger);
  serving = await serve(context, logger);
  if (serving === undefined) return exit(1);
  const { drain, drainLimitMs } = serving;
  const drainLogger = { error: (err: unknown) => logger.error({ err }, 'the drain failed') };
  const skip = [...ENDING, 'SIGHUP'] as const;
  const { close } = closeWithGrace({ delay: false, skip: [...skip], logger: drainLogger }, async ({ signal, err }) => {
    ending.begins();
    if (err) logger.fatal({ err }, 'an unexpected error ends the process');
    else if (signal) logger.info({ signal }, 'draining');
    const limit = drainLimitMs();
    setTimeout(() => {
      logger.error(`the drain takes more than ${limit} ms`);
      process.exit(1);
    }, limit).unref();
    await drain();
    logger.info('drained');
  });
  ending.serves(close);
}

/**
 * Closes at the first signal, and gives up at the next. A signal that follows at once is the same one: npm and shells hand
 * on what their whole process group has had already.
 */
function endOnSignals(logger: Logger) {
  let close: (() => void) | undefined;
  let asked: { readonly at: number; readonly signal: string } | undefined;

  function begin(signal: string): void {
    logger.info({ signal }, 'draining');
    close?.();
  }

  function giveUpTheStart(): void {
    if (close === undefined) process.exit(1);
  }
  for (const signal of ENDING) {
    process.on(signal, () => {
      if (asked === undefined) {
        asked = { at: performance.now(), signal };
        if (close) begin(signal);
        // A start that is nearly over still ends in order.
        else setTimeout(giveUpTheStart, SAME_SIGNAL_MS);
      } else if (performance.now() - asked.at > SAME_SIGNAL_MS) {
        logger.error({ signal }, 'asked to end again: the drain is given up');
        process.exit(1);
      }
    });
  }
  return {
    /** The end has begun, perhaps for another reason than a signal. */
    begins(): void {
      asked ??= { at: performance.now(), signal: 'none' };
    },
    serves(how: () => void): void {
      close = how;
      if (asked) begin(asked.signal);
    },
  };
}

/** Lets what was written leave, unlike `process.exit`. */
function exit(status: ExitStatus): void {
  process.exitCode = status;
}
