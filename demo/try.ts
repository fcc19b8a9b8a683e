import { makeCertificates } from './certificates.ts';
import { openSandboxDatabase } from './sandbox-database/open-sandbox-database.ts';
import { Signer } from '@aws-sdk/rds-signer';
import pg from 'pg';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const t = performance.now();
const c = await makeCertificates(Date.now());
const host = 'orders.cluster-demo123.us-west-2.rds.amazonaws.com';
const k = ['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'] as const;
const db = await openSandboxDatabase({
  port: 0,
  tls: c,
  now: Date.now,
  onRefused: (u, w) => console.log('REFUSED', u, w),
  database: { host, port: 5432, region: 'us-west-2', secretAccessKeys: new Map([k]) },
});
console.log('up', performance.now() - t);
const token = (u: string) =>
  new Signer({
    hostname: host,
    port: 5432,
    region: 'us-west-2',
    username: u,
    credentials: { accessKeyId: k[0], secretAccessKey: k[1] },
  }).getAuthToken();
const open = async (u: string, extra = {}) => {
  const cl = new pg.Client({
    host: 'localhost',
    port: db.port,
    user: u,
    database: 'orders',
    password: await token(u),
    ssl: { ca: c.ca },
    application_name: 'app ' + u,
    ...extra,
  });
  await cl.connect();
  return cl;
};
const t2 = performance.now();
const a = await open('app_rw');
console.log('login', performance.now() - t2);
const b = await open('app_ro');
const q = async (cl: pg.Client, s: string | pg.QueryConfig) => {
  try {
    const r = await cl.query(s as string);
    return JSON.stringify((Array.isArray(r) ? r.at(-1) : r).rows);
  } catch (e) {
    return String(e);
  }
};
console.log(await q(a, "select session_user,current_user,current_setting('application_name'),current_database()"));
console.log(await q(b, "select session_user,current_user,current_setting('application_name')"));
console.log(
  await q(a, { name: 's1', text: 'select $1::int+1 as x', values: [1] }),
  await q(b, { name: 's1', text: 'select $1::int+2 as x', values: [1] }),
  await q(a, { name: 's1', text: 'select $1::int+1 as x', values: [1] }),
);
console.log(await q(a, "set timezone='Asia/Tokyo'"), await q(b, 'show timezone'), await q(a, 'show timezone'));
console.log(await q(b, "insert into orders(customer,amount) values('x',1)"));
await q(a, 'begin');
console.log(await q(a, "insert into orders(customer,amount) values('x',1) returning id"));
const p = q(b, 'select count(*) from orders');
console.log(await q(a, 'rollback'), await p);
for (const s of [
  'set session authorization postgres',
  'SET/**/SESSION/**/AUTHORIZATION postgres',
  'set U&"session\\005fauth" = 1',
  "select set_config('session_'||'x','postgres',false)",
  'do $$ begin end $$',
  "create function pg_temp.f() returns int language sql as 'select 1'",
  'create temp table x(i int)',
  'create table x(i int)',
  'reset all',
  'discard all',
  'set role postgres',
  'set role rds_iam',
  'select current_user, session_user',
  "update pg_settings set setting='x' where name='timezone'",
  "select query_to_xml('select 1',true,true,'')",
  "select query_to_xml('set timezone=utc',true,true,'')",
  'select bad',
  "alter role app_rw set timezone='utc'",
  'show timezone',
  "select pg_read_file('PG_VERSION')",
  'create extension plpgsql',
  "select lo_from_bytea(0,'a')",
  'prepare z as select 3',
])
  console.log(s, '=>', await q(a, s));
await q(b, 'select 1');
console.log(await q(a, 'execute z'), await q(b, 'execute z'));
await a.end();
const t3 = performance.now();
for (let i = 0; i < 20; i++) await q(b, 'select 1');
console.log('20 q', performance.now() - t3);
writeFileSync('/tmp/ca.pem', c.ca);
const tk = await token('app_rw');
const psql = (args: string[], env = {}) =>
  new Promise((r) => {
    const x = spawn('psql', args, {
      env: {
        ...process.env,
        PGPASSWORD: tk,
        PGHOST: 'localhost',
        PGPORT: String(db.port),
        PGSSLROOTCERT: '/tmp/ca.pem',
        PGDATABASE: 'orders',
        ...env,
      },
    });
    let o = '';
    x.stdin.end('Kay\t3\nZoe\t4\n');
    x.stdout.on('data', (d) => (o += d));
    x.stderr.on('data', (d) => (o += d));
    x.on('close', (c) => r(c + ' ' + o));
  });
console.log(await psql(['sslmode=verify-full user=app_rw']));
console.log(await psql(['sslmode=verify-full user=app_rw', '-c', '\\copy orders(customer,amount) from stdin']));
console.log(await psql(['sslmode=disable user=app_rw', '-c', 'select 1']));
console.log(await psql(['sslmode=verify-full user=app_ro', '-c', 'select 1']));
console.log(await psql(['sslmode=verify-full user=legacy', '-c', 'select 1']));
console.log(await psql(['sslmode=verify-full user=app_rw dbname=foo', '-c', 'select 1']));
console.log(
  await psql(['sslmode=verify-full user=app_rw', '-c', 'select 1'], {
    PGPASSWORD: tk.slice(0, -1) + (tk.endsWith('0') ? '1' : '0'),
  }),
);
console.log(await psql(['sslmode=verify-full user=app_rw client_encoding=nope', '-c', 'select 1']));
await b.end();
await db.close();
