import { constants } from 'node:os';
import { resolve } from 'node:path';
import { isIP } from 'node:net';
import type { AgentOptions } from '../agent/agent.ts';
import type { CredentialFile } from '../agent/credential-files.ts';
import type { HealthAddress } from '../agent/health.ts';
import type { Notice } from '../agent/notify.ts';
import { FORMATS } from '../rds/render-auth-token.ts';
import { type CommandContext, UsageError } from './command.ts';
import { readOptions } from './config-option.ts';

const OPTIONS = {
  url: { type: 'string' },
  'jwt-file': { type: 'string' },
  database: { type: 'string' },
  user: { type: 'string' },
  endpoint: { type: 'string' },
  write: { type: 'string', multiple: true },
  mode: { type: 'string' },
  'ca-file': { type: 'string' },
  exec: { type: 'string' },
  signal: { type: 'string' },
  'pid-file': { type: 'string' },
  health: { type: 'string' },
  once: { type: 'boolean' },
  timeout: { type: 'string' },
  'allow-http': { type: 'boolean' },
} as const;

/** Who may read a file: its owner, or its group too, as where another container of a pod reads it. */
const MODES: Readonly<Record<string, number>> = { '0600': 0o600, '0400': 0o400, '0640': 0o640, '0440': 0o440 };

export type AgentCommand = {
  readonly options: AgentOptions;
  readonly once: boolean;
  /** How long `once` tries. */
  readonly timeoutMs: number;
  readonly health: HealthAddress | undefined;
};

/** @throws {UsageError} for whatever is missing or does not go together */
export function readAgentOptions(context: CommandContext): AgentCommand {
  const given = readOptions(context, OPTIONS);
  const url = readUrl(given.url ?? context.env['RTV_URL'], given['allow-http'] === true);
  const jwtFile = given['jwt-file'] ?? context.env['RTV_JWT_FILE'];
  if (!jwtFile) throw new UsageError('Name the file of the JWT: --jwt-file FILE or RTV_JWT_FILE.');
  const files = (given.write ?? []).map(readFile);
  if (files.length === 0) throw new UsageError('Say what to write: --write FORMAT=FILE.');
  const paths = [...files.map(({ path }) => path), ...(given['ca-file'] ? [given['ca-file']] : []), jwtFile].map(
    (path) => resolve(path),
  );
  if (new Set(paths).size !== paths.length) throw new UsageError('Two of the files are one.');
  const mode = MODES[given.mode ?? '0600'];
  if (mode === undefined) throw new UsageError(`--mode must be one of ${Object.keys(MODES).join(', ')}.`);
  if (given.timeout !== undefined && !given.once) throw new UsageError('--timeout goes with --once.');
  if (given.health !== undefined && given.once) throw new UsageError('--health does not go with --once.');
  return {
    options: {
      wanted: { url, jwtFile, database: given.database, user: given.user, endpoint: given.endpoint },
      files,
      mode,
      caFile: given['ca-file'],
      notice: readNotice(given.exec, given.signal, given['pid-file']),
    },
    once: given.once === true,
    timeoutMs: readSeconds(given.timeout ?? '60') * 1000,
    health: given.health === undefined ? undefined : readAddress(given.health),
  };
}

function readUrl(text: string | undefined, allowHttp: boolean): string {
  if (!text) throw new UsageError('Name the service: --url URL or RTV_URL.');
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new UsageError('--url must be an http or https address without a query and credentials.');
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw new UsageError('--url is not https, and the JWT would travel in clear: --allow-http allows it.');
  }
  return url.href.replace(/\/+$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}

function readFile(text: string): CredentialFile {
  const equals = text.indexOf('=');
  const format = FORMATS.find((one) => one === text.slice(0, equals));
  const path = text.slice(equals + 1);
  if (equals === -1 || format === undefined || path === '') {
    throw new UsageError(`--write takes FORMAT=FILE, and FORMAT is one of ${FORMATS.join(', ')}.`);
  }
  return { format, path };
}

function readNotice(command?: string, signal?: string, pidFile?: string): Notice | undefined {
  if (command !== undefined && (signal !== undefined || pidFile !== undefined)) {
    throw new UsageError('Tell a process by --exec or by --signal, not both.');
  }
  if (command !== undefined) return { kind: 'command', command };
  if (signal === undefined && pidFile === undefined) return undefined;
  if (signal === undefined || pidFile === undefined) {
    throw new UsageError('--signal NAME and --pid-file FILE go together, as in --signal HUP --pid-file /run/app.pid.');
  }
  const name = `SIG${signal.replace(/^SIG/, '')}`;
  if (!isSignal(name)) throw new UsageError('--signal takes the name of a signal, such as HUP or USR1.');
  return { kind: 'signal', signal: name, pidFile };
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}

function readSeconds(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new UsageError('--timeout takes seconds, 1 to 99999.');
  return Number(text);
}

function readAddress(text: string): HealthAddress {
  const [, host = '127.0.0.1', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (port === '' || Number(port) > 65_535 || isIP(bare) === 0) {
    throw new UsageError('--health takes PORT or ADDRESS:PORT, as in --health 0.0.0.0:9091.');
  }
  return { host: bare, port: Number(port) };
}
