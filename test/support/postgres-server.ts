import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { freePort } from '../../demo/listen.ts';
import { eventually } from './eventually.ts';

export type PostgresConfig = Extract<AuditStore, { type: 'postgres' }>;
export type Rows = readonly Readonly<Record<string, unknown>>[];

/** Settings of the server, as `postgres -c NAME=VALUE`. */
export type Settings = Readonly<Record<string, string>>;

/** A PostgreSQL of its own, listening on a free port of 127.0.0.1 and on a Unix socket in a temporary folder. */
export type PostgresServer = {
  readonly port: number;
  /** The folder of the Unix socket. */
  readonly socketDirectory: string;
  readonly user: string;
  readonly password: string;
  readonly passwordFile: string;
  /** The configuration of an audit store in a database, over TCP with a password. */
  storeConfig(database: string, changes?: Partial<PostgresConfig>): PostgresConfig;
  /** Makes an empty database that belongs to `user`, and gives its name. */
  createDatabase(options?: string): Promise<string>;
  /** Runs SQL as the superuser. */
  query(database: string, sql: string, values?: readonly unknown[]): Promise<Rows>;
  /** Starts it with other settings, or the present ones. */
  start(settings?: Settings): Promise<void>;
  /** Ends its sessions and stops it, as an operator does. */
  stop(): Promise<void>;
  /** Stops it at once, as a crash does. */
  crash(): Promise<void>;
  restart(settings?: Settings): Promise<void>;
  /** Stops all of its processes with SIGSTOP: connections stay, and nothing answers. */
  pause(): void;
  resume(): void;
  /** Puts another text into a file of its data folder, which it reads when told to. */
  write(name: string, text: string): void;
  /** What it wrote to its log since it was made. */
  log(): string;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
};

export type ServerOptions = {
  readonly settings?: Settings;
  /** PEM texts; without them it has no TLS. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string };
};

/** Starts a real server (Debian's package `postgresql`). It refuses to run as root, and then runs as `postgres`. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const owner = serverUser();
  const root = mkdtempSync(join(tmpdir(), 'rtv-postgres-'));
  const data = join(root, 'data');
  const password = `audit-${process.pid}-s3cret`;
  const passwordFile = join(root, 'password');
  const logFile = join(root, 'log');
  const port = await freePort();
  const user = 'rds_token_vendor';
  let settings = options.settings ?? {};
  let running: ChildProcess | null = null;
  let databases = 0;

  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  writeFileSync(logFile, '');
  for (const path of [root, passwordFile, logFile]) owner.take(path);
  run(
    program('initdb'),
    ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync', '--auth=trust'],
    owner.ids,
  );
  function write(name: string, text: string): void {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    owner.take(join(data, name));
  }
  write('pg_hba.conf', 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n');
  if (options.tls !== undefined) {
    write('server.crt', options.tls.certPem);
    write('server.key', options.tls.keyPem);
  }

  async function start(next: Settings = settings): Promise<void> {
    settings = next;
    const set = Object.entries({
      ...(options.tls !== undefined && { ssl: 'on' }),
      log_min_messages: 'warning',
      ...settings,
    });
    const flags = set.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const where = ['-D', data, '-p', String(port), '-k', root];
    const child = spawn(program('postgres'), [...where, ...flags], {
      ...owner.ids,
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => writeFileSync(logFile, text, { flag: 'a' }));
    }
    running = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`postgres ended: ${readFileSync(logFile, 'utf8')}`);
      await query('postgres', 'SELECT 1');
    }, 30_000);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    running = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    signalAll(child.pid, 'SIGCONT');
    child.kill(signal);
    await exited;
  }

  async function query(database: string, sql: string, values: readonly unknown[] = []): Promise<Rows> {
    const client = new pg.Client({ host: root, port, user: 'postgres', database, ssl: false });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(sql, values.length === 0 ? undefined : [...values]);
      return Array.isArray(result) ? [] : result.rows;
    } finally {
      await client.end();
    }
  }

  const server: PostgresServer = {
    port,
    socketDirectory: root,
    user,
    password,
    passwordFile,
    storeConfig: (database, changes = {}) => ({
      type: 'postgres',
      host: '127.0.0.1',
      port,
      database,
      user,
      passwordFile,
      tls: false,
      ...changes,
    }),
    async createDatabase(with_ = '') {
      databases += 1;
      const name = `audit_${databases}`;
      await query('postgres', `CREATE DATABASE ${name} OWNER ${user} ${with_}`);
      return name;
    },
    query,
    start,
    stop: () => end('SIGINT'),
    crash: () => end('SIGQUIT'),
    async restart(next) {
      await end('SIGINT');
      await start(next);
    },
    pause: () => signalAll(running?.pid, 'SIGSTOP'),
    resume: () => signalAll(running?.pid, 'SIGCONT'),
    write,
    log: () => readFileSync(logFile, 'utf8'),
    async remove() {
      await end('SIGQUIT');
      rmSync(root, { recursive: true, force: true });
    },
  };
  try {
    await start();
    await query('postgres', `CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
    return server;
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/** Where Debian puts the server's programs; elsewhere they are on the PATH. */
function program(name: string): string {
  const versions = '/usr/lib/postgresql';
  const debian = existsSync(versions) ? readdirSync(versions).sort((one, other) => Number(other) - Number(one)) : [];
  const folders = [
    ...debian.map((version) => join(versions, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not installed: apt-get install postgresql`);
  return found;
}

type ServerUser = { readonly ids: { readonly uid?: number; readonly gid?: number }; take(path: string): void };

function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return { ids: {}, take: () => undefined };
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(run('id', [flag, 'postgres'], {})));
  if (uid === undefined || gid === undefined) throw new Error('there is no user postgres');
  return { ids: { uid, gid }, take: (path) => chownSync(path, uid, gid) };
}

function run(command: string, args: readonly string[], ids: ServerUser['ids']): string {
  const { status, stdout, stderr } = spawnSync(command, args, { ...ids, cwd: '/', encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  return stdout;
}

function signalAll(postmaster: number | undefined, signal: NodeJS.Signals): void {
  if (postmaster === undefined) throw new Error('the server is not running');
  // The postmaster first: it starts no others then.
  for (const pid of [postmaster, ...childrenOf(postmaster)]) {
    try {
      process.kill(pid, signal);
    } catch {
      // A session that ended meanwhile.
    }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        // The program's name, in brackets, may hold anything.
        return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
