import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { startService } from '../support/running-service.ts';

test('slow clients are cut: half-sent headers, a half-sent body, an idle connection', async (t) => {
  const service = await startService(t);
  const { requestTimeout, headersTimeout, keepAliveTimeout, maxRequestsPerSocket } = service.app.publicServer.server;
  assert.deepEqual([requestTimeout, headersTimeout, keepAliveTimeout, maxRequestsPerSocket], [10_000, 5000, 5000, 0]);
  const head = 'POST /v1/tokens HTTP/1.1\r\nHost: x\r\n';
  const [headers, body, idle] = await Promise.all([
    answerTo(service.url, head),
    answerTo(service.url, `${head}Content-Length: 10\r\nContent-Type: application/json\r\n\r\n{`),
    answerTo(service.url, 'GET /v1/ca-bundles/us-west-2 HTTP/1.1\r\nHost: x\r\n\r\n'),
  ]);
  assert.match(headers, /^HTTP\/1\.1 408 [^]*request-timeout/);
  assert.match(body, /^HTTP\/1\.1 408 /);
  assert.match(idle, /^HTTP\/1\.1 200 /);
});

/** Everything that comes until the server ends the connection. */
function answerTo(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket: Socket = connect(Number(port), hostname, () => socket.write(request));
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  socket.on('error', reject);
  socket.on('close', () => resolve(answer));
  return promise;
}
