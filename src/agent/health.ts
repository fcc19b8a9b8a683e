import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AgentState } from './agent.ts';

export type HealthAddress = { readonly host: string; readonly port: number };

/** Serves `/livez`, and `/readyz`, which is 200 while the files hold a token that lives. */
export async function serveHealth({ host, port }: HealthAddress, state: () => AgentState) {
  const server = createServer({ requestTimeout: 5000 }, (request, response) => {
    const [path] = (request.url ?? '').split('?');
    const { fresh, expiresAt, auditId, failuresInARow, lastFailure } = state();
    if (path !== '/livez' && path !== '/readyz') return void response.writeHead(404).end();
    const body = {
      status: fresh ? 'fresh' : 'stale',
      expires_at: expiresAt,
      audit_id: auditId,
      failures_in_a_row: failuresInARow,
      last_failure: lastFailure,
    };
    response.writeHead(path === '/livez' || fresh ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
