import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { createPublicServer } from '../src/http/create-public-server.ts';
import { createMetrics } from '../src/http/metrics.ts';
import type { Service } from '../src/http/service.ts';
import { compileAuditors } from '../src/issuance/auditors.ts';
import { compileGrants } from '../src/issuance/grants.ts';

/** `openapi/openapi.json`, made from the routes of the public port as the service registers them. Nothing is opened. */
export async function openApiJson(): Promise<string> {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const app = await createPublicServer({
    current: () => unservingService(),
    tls: undefined,
    limitStore: { type: 'memory' },
    limitMetrics: createMetrics(),
    version: manifest.version,
    logger: pino({ enabled: false }),
    onTransportError: () => {},
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The routes are registered, never called. */
function unservingService(): Service {
  const unserving = () => Promise.reject(new Error('this service only describes itself'));
  const rate = { max: 1, windowMs: 1000 };
  return {
    issuance: {
      audit: { record: unserving, probe: unserving, close: () => Promise.resolve() },
      newAuditId: () => '',
      configHash: '',
      authenticate: unserving,
      grants: compileGrants([], new Map()),
      requireCaBundle: () => {},
      resolveCredentials: unserving,
      signAuthToken: unserving,
    },
    catalog: new Map(),
    rates: { perCaller: rate, perDatabase: rate, perAddress: rate, maxEventLoopDelay: 0 },
    trustsProxy: () => false,
    thumbprintOf: () => null,
    auditors: compileAuditors([]),
    auditReader: { page: unserving, get: unserving, close: () => Promise.resolve() },
    caBundles: { get: () => unserved(), find: () => undefined, list: () => [], close: () => Promise.resolve() },
    now: Date.now,
    onDecision: () => {},
  };
}

function unserved(): never {
  throw new Error('this service only describes itself');
}
