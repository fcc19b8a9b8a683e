import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../demo/listen.ts';
import { eventually } from './eventually.ts';

const SOURCES = fileURLToPath(new URL('../e2e/kube-apiserver', import.meta.url));
const ADMIN_TOKEN = 'token-of-the-administrator';

/** A real kube-apiserver with its etcd, both of this test alone. Nothing runs pods: their objects are enough. */
export type KubeCluster = {
  readonly url: string;
  /** PEM of the CA to trust for it. */
  readonly caFile: string;
  /** Calls the API as an administrator; throws for any other answer than 2xx. */
  call(method: string, path: string, object?: object): Promise<KubeObject>;
  /** Stops the API server at once, and starts it again on the same port. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** A token of a service account, as TokenRequest makes it; bound to a pod where its name and uid are given. */
  token(of: TokenOf): Promise<string>;
  remove(): Promise<void>;
};

export type KubeObject = {
  readonly metadata?: { readonly uid?: string };
  readonly status?: { readonly token?: string };
};

type TokenOf = {
  readonly namespace: string;
  readonly name: string;
  readonly audience?: string;
  readonly pod?: { readonly name: string; readonly uid: string };
};

/** Builds both programs from their published modules: minutes at first, seconds with Go's cache. */
export function buildKubernetes(bin: string): { readonly apiServer: string; readonly etcd: string } {
  for (const name of ['apiserver', 'etcd']) {
    const args = ['build', '-ldflags=-s -w', '-o', join(bin, name), `./${name}`];
    const { status, stderr } = spawnSync('go', args, { cwd: SOURCES, encoding: 'utf8' });
    if (status !== 0) throw new Error(`go build of ${name}: ${stderr}`);
  }
  return { apiServer: join(bin, 'apiserver'), etcd: join(bin, 'etcd') };
}

/** Starts both in a folder, which holds everything that they write. */
export async function startCluster(folder: string): Promise<KubeCluster> {
  const programs = buildKubernetes(join(folder, 'bin'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const signingKey = file('sa.key', privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const verifyingKey = file('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }));
  const tokens = file('tokens.csv', `${ADMIN_TOKEN},admin,admin,"system:masters"\n`);
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const [clientUrl, peerUrl, url] = [
    `http://127.0.0.1:${client}`,
    `http://127.0.0.1:${peer}`,
    `https://127.0.0.1:${port}`,
  ];
  const running = new Set<ChildProcess>();

  function start(program: string, args: readonly string[], log: string): ChildProcess {
    const out = openSync(join(folder, log), 'a');
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', out, out] });
    closeSync(out);
    running.add(child);
    return child;
  }

  async function stop(child: ChildProcess): Promise<void> {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  function call(method: string, path: string, object?: object): Promise<KubeObject> {
    const { promise, resolve, reject } = Promise.withResolvers<KubeObject>();
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const ca = readFileSync(join(folder, 'certs', 'apiserver.crt'));
    const sent = request(`${url}${path}`, { method, headers, ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 300) reject(new Error(`${method} ${path}: ${statusCode} ${text}`));
        else resolve(text.startsWith('{') ? JSON.parse(text) : {});
      });
    });
    sent.on('error', reject);
    sent.end(object === undefined ? undefined : JSON.stringify(object));
    return promise;
  }

  start(
    programs.etcd,
    [
      ...['--data-dir', 'etcd', '--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--initial-cluster', `default=${peerUrl}`],
    ],
    'etcd.log',
  );
  let apiServer: ChildProcess | undefined;
  async function startApiServer(): Promise<void> {
    apiServer = start(
      programs.apiServer,
      [
        ...[`--etcd-servers=${clientUrl}`, `--service-account-issuer=${url}`, '--cert-dir=certs'],
        ...[`--service-account-key-file=${verifyingKey}`, `--service-account-signing-key-file=${signingKey}`],
        ...['--bind-address=127.0.0.1', `--secure-port=${port}`, '--service-cluster-ip-range=10.0.0.0/24'],
        ...['--authorization-mode=RBAC', `--token-auth-file=${tokens}`, '--disable-admission-plugins=ServiceAccount'],
      ],
      'apiserver.log',
    );
    await eventually(() => call('GET', '/readyz'), 120_000);
  }
  await startApiServer();

  return {
    url,
    caFile: join(folder, 'certs', 'apiserver.crt'),
    call,
    startApiServer,
    async stopApiServer() {
      if (apiServer !== undefined) await stop(apiServer);
    },
    async token({ namespace, name, audience, pod }) {
      const { status } = await call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          ...(audience === undefined ? {} : { audiences: [audience] }),
          expirationSeconds: 3600,
          ...(pod === undefined ? {} : { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', ...pod } }),
        },
      });
      if (status?.token === undefined) throw new Error('there is no token in the answer');
      return status.token;
    },
    async remove() {
      for (const child of running) await stop(child);
    },
  };
}
