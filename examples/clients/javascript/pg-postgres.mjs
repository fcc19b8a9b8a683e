// PostgreSQL with node-postgres: a pool that asks for a fresh token for each connection it opens.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import pg from 'pg';

const { RTV_URL, RTV_JWT_FILE, RTV_DATABASE, RTV_USER } = process.env;

async function ask(path, init) {
  const answer = await fetch(`${RTV_URL}${path}`, { ...init, redirect: 'error', signal: AbortSignal.timeout(15_000) });
  if (answer.ok) return answer;
  const words = await answer.text(); // the service's own have the audit id
  throw new Error(`${path}: ${answer.status} ${words.startsWith('{"type":"urn:rds-token-vendor:') ? words : ''}`);
}

async function vend() {
  const jwt = (await readFile(RTV_JWT_FILE, 'utf8')).trim(); // read each time: it is rotated
  const body = new URLSearchParams({ database: RTV_DATABASE, user: RTV_USER });
  const answer = await ask('/v1/tokens', { method: 'POST', body, headers: { authorization: `Bearer ${jwt}` } });
  return answer.json();
}

const { connection, ca_bundle } = await vend();
const ca = await (await ask(ca_bundle.href)).text();
const { host, port, database, user, application_name } = connection;
const pool = new pg.Pool({
  ...{ host, port, database, user, application_name, max: 4 },
  password: async () => (await vend()).token, // called for each connection
  ssl: { ca, rejectUnauthorized: true },
});
pool.on('error', (error) => console.error(`an idle connection ended: ${error.message}`));

for await (const statement of createInterface({ input: process.stdin })) {
  const { rows } = await pool.query({ text: statement, rowMode: 'array' });
  console.log(rows[0][0]);
}
await pool.end();
