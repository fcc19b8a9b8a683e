import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Issued } from '../../demo/certificate-authority.ts';
import { freePort } from '../../demo/listen.ts';
import type { LimitStore } from '../../src/http/limit-store.ts';
import { eventually } from './eventually.ts';

/** A Redis of its own on a free port of 127.0.0.1, and on a Unix socket. */
export type RedisServer = {
  readonly port: number;
  readonly socket: string;
  /** How to reach it without TLS and without a password. */
  readonly plain: LimitStore;
  /** Runs one command as the administrator, as `redis-cli` does. */
  command(...words: string[]): Promise<unknown>;
  start(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Stops it with SIGSTOP: connections stay, and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
};

export type RedisOptions = {
  /** More settings, as `redis-server --NAME VALUE`. */
  readonly settings?: readonly string[];
  /** With it, the TCP port speaks TLS only. */
  readonly tls?: Issued;
  /** The program; Debian's `redis-server` unless given. */
  readonly program?: string;
};

/** Starts a real server (Debian's package `redis-server`), which keeps nothing on disk. */
export async function startRedis({ settings = [], tls, program }: RedisOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-redis-'));
  const port = await freePort();
  const socket = join(folder, 'redis.sock');
  let running: ChildProcess | null = null;
  if (tls !== undefined) {
    writeFileSync(join(folder, 'server.crt'), tls.certPem);
    writeFileSync(join(folder, 'server.key'), tls.keyPem, { mode: 0o600 });
  }
  const ports =
    tls === undefined
      ? ['--port', String(port)]
      : [
          ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', join(folder, 'server.crt'), '--tls-key-file', join(folder, 'server.key')],
        ];
  const args = [
    ...ports,
    ...['--bind', '127.0.0.1', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no'],
    ...['--logfile', join(folder, 'log'), ...settings],
  ];

  async function command(...[name = '', ...words]: string[]): Promise<unknown> {
    const client = new Redis({ path: socket, lazyConnect: true, retryStrategy: null, enableReadyCheck: false });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(name, ...words);
    } finally {
      client.disconnect();
    }
  }

  async function start(): Promise<void> {
    const child = spawn(program ?? process.env['REDIS_SERVER'] ?? 'redis-server', args, { stdio: 'ignore' });
    running = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended: ${readFileSync(join(folder, 'log'), 'utf8')}`);
      await command('PING');
    });
  }

  async function kill(): Promise<void> {
    const child = running;
    running = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  await start();
  return {
    port,
    socket,
    plain: { host: '127.0.0.1', port, tls: false },
    command,
    start,
    kill,
    pause: () => void running?.kill('SIGSTOP'),
    resume: () => void running?.kill('SIGCONT'),
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
