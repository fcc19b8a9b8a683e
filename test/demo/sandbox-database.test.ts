import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Signer } from '@aws-sdk/rds-signer';
import { Client, type ClientConfig } from 'pg';
import { type Certificates, makeCertificates } from '../../demo/certificates.ts';
import { openSandboxDatabase, type SandboxDatabase } from '../../demo/sandbox-database/open-sandbox-database.ts';
import { ACCESS_KEY_ID, RDS_ENDPOINT, SECRET_ACCESS_KEY } from '../../demo/settings.ts';

let tls: Certificates;
let database: SandboxDatabase;
const refused: string[] = [];

before(async () => {
  tls = await makeCertificates(Date.now());
  database = await openSandboxDatabase({
    port: 0,
    tls,
    now: Date.now,
    onRefused: (user, why) => refused.push(`${user}: ${why}`),
    database: { ...RDS_ENDPOINT, secretAccessKeys: new Map([[ACCESS_KEY_ID, SECRET_ACCESS_KEY]]) },
  });
});
after(() => database.close());

async function client(user: string, change: Partial<ClientConfig> = {}): Promise<Client> {
  const { host: hostname, port, region } = RDS_ENDPOINT;
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };
  const password = await new Signer({ hostname, port, region, username: user, credentials }).getAuthToken();
  return new Client({
    host: 'localhost',
    port: database.port,
    database: 'orders',
    user,
    password,
    ssl: { ca: tls.ca },
    ...change,
  });
}

async function connected(user: string, change: Partial<ClientConfig> = {}): Promise<Client> {
  const one = await client(user, change);
  await one.connect();
  return one;
}

test('a token lets its user in over verified TLS, under its application_name', async () => {
  const one = await connected('app_rw', { application_name: 'rtv:1' });
  const { rows } = await one.query(
    "select current_user, session_user, current_database() as db, current_setting('application_name') as name",
  );
  assert.deepEqual(rows, [{ current_user: 'app_rw', session_user: 'app_rw', db: 'orders', name: 'rtv:1' }]);
  await one.end();
});

const REFUSED: readonly [what: string, user: string, change: Partial<ClientConfig>, words: RegExp][] = [
  ['a password that is no token', 'app_rw', { password: 'secret' }, /^PAM authentication failed for user "app_rw"$/],
  ['an empty password', 'app_rw', { password: '' }, /^PAM authentication failed for user "app_rw"$/],
  ['a user outside rds_iam', 'legacy', {}, /^password authentication failed for user "legacy"$/],
  ['a user that is not there', 'nobody', {}, /^password authentication failed for user "nobody"$/],
  ['the superuser', 'postgres', {}, /^password authentication failed for user "postgres"$/],
  [
    'a connection without TLS',
    'app_rw',
    { ssl: false },
    /^no pg_hba.conf entry for host ".*", user "app_rw", database "orders", no encryption$/,
  ],
  ['another database', 'app_rw', { database: 'postgres' }, /^database "postgres" does not exist$/],
];
for (const [what, user, change, words] of REFUSED) {
  test(`${what} is refused in PostgreSQL's words`, async () => {
    const one = await client(user, change);
    await assert.rejects(one.connect(), { message: words });
  });
}

test('a client that does not know the CA does not connect', async () => {
  const other = await makeCertificates(Date.now());
  const one = await client('app_rw', { ssl: { ca: other.ca } });
  await assert.rejects(one.connect(), /certificate/);
});

test("roles have their own rights, and the superuser's are out of reach", async () => {
  const [rw, ro] = await Promise.all([connected('app_rw'), connected('app_ro')]);
  await rw.query("insert into orders (customer, amount) values ('Turing', 1)");
  await assert.rejects(ro.query("insert into orders (customer, amount) values ('x', 1)"), /permission denied/);
  const escapes = [
    'set session authorization postgres',
    'SET/**/SESSION/**/AUTHORIZATION DEFAULT',
    'set U&"session\\005fauthorization" = postgres',
    "select set_config('session_' || 'authorization', 'postgres', false)",
    'set role postgres',
    'set role rds_iam',
    'do $$ begin end $$',
    "select pg_read_file('PG_VERSION')",
    'copy orders from stdin',
    'create role x superuser',
  ];
  for (const sql of escapes) await assert.rejects(rw.query(sql), sql);
  await rw.query('reset session authorization').catch(() => undefined);
  await rw.query('discard all');
  assert.deepEqual((await rw.query('select current_user, session_user')).rows, [
    { current_user: 'app_rw', session_user: 'app_rw' },
  ]);
  await Promise.all([rw.end(), ro.end()]);
});

test("clients at the same time do not see each other's transactions, settings or prepared statements", async () => {
  const [one, two] = await Promise.all([connected('app_rw'), connected('app_rw')]);
  const count = async (from: Client): Promise<number> =>
    (await from.query('select count(*)::int as n from orders')).rows[0].n;
  const before = await count(two);
  await one.query("set timezone = 'Asia/Tokyo'");
  await one.query('begin');
  await one.query("insert into orders (customer, amount) values ('Open', 1)");
  const waiting = count(two);
  await one.query('rollback');
  assert.equal(await waiting, before);
  assert.notEqual((await two.query('show timezone')).rows[0].TimeZone, 'Asia/Tokyo');
  assert.equal((await one.query('show timezone')).rows[0].TimeZone, 'Asia/Tokyo');
  const named = (n: number) => ({ name: 'same', text: `select ${n}::int as n`, values: [] });
  assert.deepEqual([(await one.query(named(1))).rows[0].n, (await two.query(named(2))).rows[0].n], [1, 2]);
  assert.equal((await one.query(named(1))).rows[0].n, 1);
  await Promise.all([one.end(), two.end()]);
});

test('COPY FROM STDIN fails in both protocols, and the server lives on', async () => {
  const one = await connected('app_rw');
  const refusal = { message: 'COPY from stdin failed: the sandbox takes no COPY FROM STDIN' };
  await assert.rejects(one.query('copy orders (customer, amount) from stdin'), refusal);
  // With values node-postgres uses the extended protocol.
  await assert.rejects(one.query({ text: 'copy orders (customer, amount) from stdin', values: [] }), refusal);
  assert.deepEqual((await one.query("select 'copy me from stdin' as words")).rows, [{ words: 'copy me from stdin' }]);
  await one.query('copy orders to stdout').catch(() => undefined);
  assert.deepEqual((await one.query('select 1 as n')).rows, [{ n: 1 }]);
  await one.end();
});

test('a client that goes away in a transaction leaves nothing of it', async () => {
  const one = await connected('app_rw');
  await one.query('begin');
  await one.query("insert into orders (customer, amount) values ('Gone', 1)");
  one.on('error', () => undefined);
  one.connection.stream.destroy();
  const two = await connected('app_ro');
  assert.equal((await two.query("select count(*)::int as n from orders where customer = 'Gone'")).rows[0].n, 0);
  await two.end();
});
