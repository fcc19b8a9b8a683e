import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import type { CaBundle } from '../../src/rds/ca-bundle.ts';
import { createCaBundleStore } from '../../src/rds/ca-bundle-store.ts';
import { type CaBundleEvent, startRefreshing } from '../../src/rds/refresh-ca-bundle.ts';
import { makeCa } from '../../demo/certificate-authority.ts';
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts';

const ID = 'us-west-2';
const HOUR = 3_600_000;
const PEM = readBuiltInBundle(ID, Date.now())?.pem ?? '';

let ca = '';
let server: HttpsServer;
/** What the server answers; each test sets it. */
let answer: () => { status: number; body: string };

before(async () => {
  const issuer = await makeCa('mirror');
  ca = issuer.certPem;
  server = await startHttpsServer(await issuer.issue({ dnsNames: ['localhost'] }), (_request, response) => {
    const { status, body } = answer();
    response.writeHead(status).end(body);
  });
});

after(() => server.close());

/** Starts refreshing; `seen` resolves once there were so many events. */
async function start(t: TestContext, options: { refreshMs: number; directory?: string; url?: string }) {
  const directory = options.directory ?? join(newFolder(t), 'ca');
  const bundles: CaBundle[] = [];
  const events: CaBundleEvent[] = [];
  let wake = () => {};
  const end = await startRefreshing({
    id: ID,
    url: options.url ?? `${server.origin}/bundle.pem`,
    refreshMs: options.refreshMs,
    ca,
    store: createCaBundleStore(directory, Date.now),
    now: Date.now,
    onBundle: (bundle) => void bundles.push(bundle),
    onEvent(event) {
      events.push(event);
      wake();
    },
  });
  t.after(end);
  async function seen(count: number): Promise<void> {
    while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
  }
  return { directory, bundles, events, seen, end };
}

test('without a copy the bundle is fetched at once, put in force and kept', async (t) => {
  answer = () => ({ status: 200, body: PEM });
  const { directory, bundles, events, seen, end } = await start(t, { refreshMs: HOUR });
  await seen(1);
  await end();
  const [bundle] = bundles;
  assert.deepEqual([bundle?.pem, bundle?.origin], [PEM, 'fetched']);
  const url = `${server.origin}/bundle.pem`;
  assert.deepEqual(events, [{ type: 'ca_bundle_fetched', id: ID, url, sha256: bundle?.sha256 }]);
  assert.ok(existsSync(join(directory, `${ID}.json`)));
});

test('after a restart the copy is in force before anything is fetched, and a fresh one is not fetched again', async (t) => {
  answer = () => ({ status: 200, body: PEM });
  const first = await start(t, { refreshMs: HOUR });
  await first.seen(1);
  await first.end();
  const asked = server.paths.length;
  const second = await start(t, { refreshMs: HOUR, directory: first.directory });
  assert.equal(second.bundles[0]?.pem, PEM);
  await second.end();
  assert.deepEqual([server.paths.length, second.events], [asked, []]);
});

test('while AWS cannot be reached the last good bundle stays, and the next good one is taken', async (t) => {
  const newer = `# newer\n${PEM}`;
  const answers = [
    { status: 200, body: PEM },
    { status: 503, body: '' },
    { status: 200, body: '<html>' },
    { status: 200, body: newer },
  ];
  answer = () => answers.shift() ?? { status: 200, body: newer };
  const { bundles, events, seen, end } = await start(t, { refreshMs: 10 });
  await seen(4);
  await end();
  assert.deepEqual(
    events.slice(0, 4).map((event) => (event.type === 'ca_bundle_failed' ? event.error : event.type)),
    [
      'ca_bundle_fetched',
      `${server.origin}/bundle.pem answered 503`,
      `${server.origin}/bundle.pem holds something other than a certificate at line 1`,
      'ca_bundle_fetched',
    ],
  );
  assert.deepEqual(
    bundles.slice(0, 2).map(({ pem }) => pem),
    [PEM, newer],
  );
});

test('a damaged copy is reported and fetched anew', async (t) => {
  answer = () => ({ status: 200, body: PEM });
  const directory = newFolder(t);
  const file = join(directory, `${ID}.json`);
  writeFileSync(file, '{');
  const { bundles, events, seen } = await start(t, { refreshMs: HOUR, directory });
  await seen(2);
  assert.deepEqual(
    events.map((event) => (event.type === 'ca_bundle_failed' ? event.error : event.type)),
    [`${file} is damaged`, 'ca_bundle_fetched'],
  );
  assert.equal(bundles.length, 1);
});

test('a disk that keeps nothing is reported, and the fetched bundle is in force all the same', async (t) => {
  answer = () => ({ status: 200, body: PEM });
  const directory = join(newFolder(t), 'file');
  writeFileSync(directory, '');
  const { bundles, events, seen } = await start(t, { refreshMs: HOUR, directory });
  await seen(3);
  // The directory is a file: loading fails, fetching succeeds, saving fails.
  assert.deepEqual(
    events.map(({ type }) => type),
    ['ca_bundle_failed', 'ca_bundle_fetched', 'ca_bundle_failed'],
  );
  assert.equal(bundles[0]?.pem, PEM);
});

test('once it has ended nothing more is fetched, not even what was under way', async (t) => {
  const asked = Promise.withResolvers<void>();
  answer = () => {
    asked.resolve();
    return { status: 200, body: PEM };
  };
  const { bundles, events, end } = await start(t, { refreshMs: 10 });
  await asked.promise;
  await end();
  const counts = [bundles.length, events.length];
  await end();
  assert.deepEqual([bundles.length, events.length], counts);
});

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-refresh-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
