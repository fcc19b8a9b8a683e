import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ENDLESS } from '../support/idp-faults.ts';
import { openIdp } from '../support/loopback-idp.ts';
import { keySetText } from '../support/test-issuer.ts';

const CHILD = fileURLToPath(new URL('../support/idp-memory-child.ts', import.meta.url));
const MEGABYTE = 1024 * 1024;

test('answers without end, 10 GB, of chunks of a byte, of headers and a gzip bomb: memory grows by less than 5 MB', async (t) => {
  const idp = await openIdp();
  t.after(() => idp.close());
  // What an honest issuer may send at most.
  idp.publish('good', keySetText().padEnd(100 * 1024));
  const bad = ENDLESS.map((fault, index) => {
    idp.breakAt(`bad-${index}`, 'keys', fault);
    return `${idp.issuer(`bad-${index}`)}/keys`;
  });
  // How far V8 lets its young generation grow is about garbage in general, and not about what is held.
  const args = ['--expose-gc', '--max-semi-space-size=1', CHILD, `${idp.issuer('good')}/keys`, ...bad];
  const grown = { held: Infinity, resident: Infinity };
  // Resident memory has noise of some megabytes; what holds on to answers has it each time.
  for (let run = 0; run < 3 && grown.resident > 2.5; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { heldBefore, heldAfter, rssBefore, rssMost, loaded } = JSON.parse(stdout);
    grown.held = Math.min(grown.held, (heldAfter - heldBefore) / MEGABYTE);
    grown.resident = Math.min(grown.resident, (rssMost - rssBefore) / MEGABYTE);
    assert.deepEqual(new Set(loaded), new Set([0]));
  }
  t.diagnostic(JSON.stringify(grown));
  assert.ok(grown.held < 5 && grown.resident < 5, JSON.stringify(grown));
  // What was sent before the connection was closed is what fits in the kernel's buffers, not gigabytes.
  const sent = Math.max(...idp.asked.map(({ request }) => request.socket.bytesWritten));
  assert.ok(sent < 64 * MEGABYTE, String(sent));
});
