import type { RequestOptions } from 'node:https';
import type { TestContext } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import type { Changes } from '../../demo/certificate-authority.ts';
import type { TlsFiles } from '../../src/http/tls-options.ts';
import { type RunningService, type ServiceChanges, startService } from './running-service.ts';
import { type Answer, askOverTls } from './tls-client.ts';
import { makeTlsMaterial, type TlsMaterial } from './tls-material.ts';

export type TlsService = RunningService &
  TlsMaterial & {
    readonly port: number;
    /** What a client connects with that trusts the service. */
    readonly trust: ConnectionOptions;
    /** One request on a connection of its own, or on the agent's. */
    get(path: string, options?: RequestOptions): Promise<Answer>;
  };

export type TlsServiceChanges = ServiceChanges & { readonly server?: Changes; readonly host?: string };

/** Starts the service with TLS; it asks for no client certificates where `clientCertificates` is undefined. */
export async function startTlsService(
  test: TestContext,
  clientCertificates?: TlsFiles['clientCertificates'],
  changes: TlsServiceChanges = {},
): Promise<TlsService> {
  const material = await makeTlsMaterial(test, changes.server);
  const { certFile, keyFile, clientCaFile } = material.files;
  const tls = { certFile, keyFile, ...(clientCertificates === undefined ? {} : { clientCaFile, clientCertificates }) };
  const server = { host: changes.host ?? '127.0.0.1', port: 0, adminPort: 0, tls };
  const service = await startService(test, {
    ...changes,
    config(text) {
      const withTls = text.replace('server: { port: 0, adminPort: 0 }', `server: ${JSON.stringify(server)}`);
      return changes.config?.(withTls) ?? withTls;
    },
  });
  const port = Number(new URL(service.url).port);
  const trust = { host: '127.0.0.1', port, servername: 'localhost', ca: material.serverCa.certPem };
  return {
    ...service,
    ...material,
    port,
    trust,
    get: (path, options = {}) => askOverTls({ agent: false, ...trust, path, ...options }),
  };
}
