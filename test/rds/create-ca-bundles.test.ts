import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificates } from '../../demo/certificates.ts';
import { listen, portOf } from '../../demo/listen.ts';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { type CaBundleOptions, createCaBundles } from '../../src/rds/create-ca-bundles.ts';

const usWest2 = readBuiltInBundle('us-west-2', Date.now())?.pem ?? assert.fail();

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rtv-ca-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A mirror over HTTPS whose answers the test sets; `asked` has the paths. */
async function mirror(t: TestContext) {
  const path = folder(t);
  const tls = await makeCertificates(Date.now());
  writeFileSync(join(path, 'ca.pem'), tls.ca);
  const state = { status: 200, body: usWest2, asked: [] as string[] };
  const server = createServer(tls, (request, response) => {
    state.asked.push(request.url ?? '');
    response.writeHead(state.status).end(state.body);
  });
  await listen(server, 0);
  t.after(() => server.close().closeAllConnections());
  const sourceUrl = `https://localhost:${portOf(server)}/truststore`;
  return {
    state,
    fetching: { refreshMs: 3_600_000, directory: join(path, 'kept'), sourceUrl, caFile: join(path, 'ca.pem') },
  };
}

async function create(t: TestContext, options: Partial<CaBundleOptions>) {
  const events: string[] = [];
  const bundles = await createCaBundles({
    ids: new Set(),
    files: [],
    fetching: undefined,
    now: Date.now,
    onEvent: (event) => events.push(event.type),
    ...options,
  });
  t.after(() => bundles.close());
  const until = async (type: string): Promise<void> => {
    while (!events.includes(type)) await sleep(10);
  };
  return { bundles, events, until };
}

test('without fetching the built-in bundles are in force, and an id that is missing ends the start with the mend', async (t) => {
  const { bundles } = await create(t, { ids: new Set(['us-west-2', 'amazon-roots']) });
  assert.equal(bundles.get('us-west-2').origin, 'built-in');
  assert.equal(bundles.find('il-central-1'), undefined);
  for (const id of ['il-central-1', 'us-gov-west-1', 'cn-north-1']) {
    await assert.rejects(create(t, { ids: new Set([id]) }), { name: 'CaBundleError', message: /caBundles\.refresh/ });
  }
});

test("an operator's file is in force under its own id, with its configured SHA-256 only", async (t) => {
  const file = join(folder(t), 'own.pem');
  const { ca } = await makeCertificates(Date.now());
  writeFileSync(file, ca);
  const sha256 = createHash('sha256').update(ca).digest('hex');
  const { bundles } = await create(t, { files: [{ id: 'file-1', file, sha256 }] });
  assert.deepEqual([bundles.get('file-1').origin, bundles.get('file-1').pem], ['file', ca]);
  assert.ok(bundles.list().some(({ id }) => id === 'file-1'));
  await assert.rejects(create(t, { files: [{ id: 'file-1', file, sha256: 'a'.repeat(64) }] }), {
    name: 'CaBundleError',
  });
});

test('a fetched bundle takes the place of the built-in one, is kept on disk, and serves after a restart without the mirror', async (t) => {
  const { state, fetching } = await mirror(t);
  const changed = `# fetched\n${usWest2}`;
  state.body = changed;
  const first = await create(t, { ids: new Set(['us-west-2']), fetching });
  assert.equal(first.bundles.get('us-west-2').origin, 'built-in');
  await first.until('ca_bundle_fetched');
  assert.deepEqual([first.bundles.get('us-west-2').origin, first.bundles.get('us-west-2').pem], ['fetched', changed]);
  assert.deepEqual(state.asked, ['/truststore/us-west-2/us-west-2-bundle.pem']);
  while (!existsSync(join(fetching.directory, 'us-west-2.json'))) await sleep(10);
  await first.bundles.close();

  state.status = 500;
  const second = await create(t, { ids: new Set(['us-west-2']), fetching });
  assert.equal(second.bundles.get('us-west-2').pem, changed);
});

test('a mirror that gives something else leaves the last good bundle in force', async (t) => {
  const { state, fetching } = await mirror(t);
  for (const body of ['<html>', readBuiltInBundle('eu-west-1', Date.now())?.pem ?? '', '']) {
    state.body = body;
    const { bundles, until } = await create(t, { ids: new Set(['us-west-2']), fetching });
    await until('ca_bundle_failed');
    assert.equal(bundles.get('us-west-2').origin, 'built-in');
  }
});

test('a bundle that is not built in is a fault until it has been fetched', async (t) => {
  const { state, fetching } = await mirror(t);
  state.status = 503;
  const { bundles, until } = await create(t, { ids: new Set(['il-central-1']), fetching });
  await until('ca_bundle_failed');
  assert.throws(() => bundles.get('il-central-1'), { name: 'Fault', code: 'ca_bundle_unavailable' });
});

test('the roots of RDS Proxy are published nowhere as one file, so they are not fetched', async (t) => {
  const { state, fetching } = await mirror(t);
  const { bundles, until } = await create(t, { ids: new Set(['us-west-2', 'amazon-roots']), fetching });
  await until('ca_bundle_fetched');
  assert.equal(state.asked.length, 1);
  assert.equal(bundles.get('amazon-roots').certificates.length, 5);
});
