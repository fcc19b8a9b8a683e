import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { editedCopy, readAudit, verifyAudit } from './audit.ts';
import type { SandboxIssuer } from './issuer.ts';

export type StoryOptions = {
  readonly vendorUrl: string;
  readonly issuer: Pick<SandboxIssuer, 'mint' | 'rotate'>;
  /** The sandbox's folder, with its configuration, audit store and log. */
  readonly state: string;
  /** A token for another user, signed with the keys of the session that signed this one. */
  readonly forge: (token: string, user: string) => Promise<string>;
  /** Puts the database's clock forward by this many milliseconds; 0 puts it right again. */
  readonly shiftClock: (milliseconds: number) => void;
  readonly print: (line: string) => void;
};

type Login = { readonly token: string; readonly user: string; readonly application?: string };

/** Plays the whole story and prints each step. Each step is checked: one that does not hold rejects. */
export async function playStory({ vendorUrl, issuer, state, forge, shiftClock, print }: StoryOptions): Promise<void> {
  let steps = 0;
  const step = (title: string): void => print(`\n${++steps}. ${title}`);
  const show = (text: string): void => print(`   ${text}`);

  step('A caller has a JWT: here a Kubernetes service-account token.');
  const jwt = await issuer.mint('app');
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  show(JSON.stringify({ iss: claims.iss, sub: claims.sub, aud: claims.aud }));

  step('It asks for a token: POST /v1/tokens, database=orders, user=app_rw.');
  const issued = await ask(vendorUrl, jwt, { database: 'orders', user: 'app_rw' });
  assert.equal(issued.status, 201);
  const { token, expires_at, limited_by, audit_id, connection, ca_bundle } = issued.body;
  show(`201: token ${token.slice(0, 76)}… (${token.length} bytes)`);
  show(`expires_at ${expires_at} (limited by ${limited_by}), audit_id ${audit_id}`);
  show(`connection ${connection.host}:${connection.port}/${connection.database} as ${connection.user}`);

  step('It fetches the CA bundle and checks its SHA-256.');
  const ca = await (await fetch(new URL(ca_bundle.href, vendorUrl))).text();
  assert.equal(createHash('sha256').update(ca).digest('hex'), ca_bundle.sha256);
  show(
    `${ca_bundle.href}: ${ca_bundle.certificates} certificate, sha256 ${ca_bundle.sha256.slice(0, 16)}… as announced`,
  );

  const open = ({ token: password, user, application }: Login): Client =>
    new Client({
      host: connection.host,
      port: connection.port,
      database: connection.database,
      user,
      password,
      // verify-full: pg checks the chain and the host name.
      ssl: { ca },
      ...(application === undefined ? {} : { application_name: application }),
    });
  const refusal = async (client: Client): Promise<string> => {
    try {
      await client.connect();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    await client.end();
    throw new assert.AssertionError({ message: 'the database let in what it must refuse' });
  };

  step('It connects over verified TLS: select current_user.');
  const client = open({ token, user: connection.user, application: connection.application_name });
  await client.connect();
  const { rows } = await client.query<{ u: string; a: string; n: number }>(
    "select current_user as u, current_setting('application_name') as a, count(*)::int as n from orders",
  );
  await client.end();
  assert.deepEqual(rows, [{ u: 'app_rw', a: `rtv:${audit_id}`, n: 3 }]);
  show(`current_user ${rows[0]?.u}, application_name ${rows[0]?.a}, ${rows[0]?.n} orders`);

  step('It asks to be a user that no grant gives it, and a stranger asks to be app_rw: one identical 403.');
  const refused = await ask(vendorUrl, jwt, { database: 'orders', user: 'dba_admin' });
  const stranger = await ask(vendorUrl, await issuer.mint('stranger'), { database: 'orders', user: 'app_rw' });
  assert.deepEqual([refused.status, stranger.status], [403, 403]);
  assert.equal(refused.body.type, stranger.body.type);
  show(`403: ${JSON.stringify({ ...refused.body, audit_id: '…' })}`);

  step('A JWT that was changed: 401.');
  const forged = await ask(vendorUrl, `${jwt.slice(0, -8)}AAAAAAAA`, { database: 'orders', user: 'app_rw' });
  assert.equal(forged.status, 401);
  show(`401: ${forged.body.title}`);

  step('The token with one character changed, for another user, and 15 minutes later: the database refuses.');
  const at = token.indexOf('X-Amz-Signature=') + 'X-Amz-Signature='.length;
  const tampered = token.slice(0, at) + (token[at] === '0' ? '1' : '0') + token.slice(at + 1);
  const words = (user: string): string => `PAM authentication failed for user "${user}"`;
  assert.equal(await refusal(open({ token: tampered, user: 'app_rw' })), words('app_rw'));
  show(`tampered:     FATAL: ${words('app_rw')}`);
  assert.equal(await refusal(open({ token, user: 'app_ro' })), words('app_ro'));
  show(`another user: FATAL: ${words('app_ro')}`);
  const forgedForOther = await forge(token, 'app_ro');
  assert.equal(await refusal(open({ token: forgedForOther, user: 'app_ro' })), words('app_ro'));
  show('signed for app_ro with the AWS session of app_rw: refused too, the session may be app_rw only');
  shiftClock(900_000);
  assert.equal(await refusal(open({ token, user: 'app_rw' })), words('app_rw'));
  shiftClock(0);
  show(`15 min later: FATAL: ${words('app_rw')} (the database's clock was put forward)`);

  step('Without TLS the database does not even ask for the token.');
  const { host, port, database } = connection;
  const plain = await refusal(new Client({ host, port, database, user: 'app_rw', password: token, ssl: false }));
  assert.match(plain, /no pg_hba\.conf entry for host .* no encryption/);
  show(`FATAL: ${plain}`);

  step('The issuer signs with a new key: its JWTs are accepted at once, earlier ones still.');
  await issuer.rotate();
  const rotated = await ask(vendorUrl, await issuer.mint('dba'), { database: 'orders' });
  const earlier = await ask(vendorUrl, jwt, { user: 'app_ro' });
  assert.deepEqual([rotated.status, earlier.status, rotated.body.connection.user], [201, 201, 'dba_admin']);
  show('201 as dba_admin, 201 as app_ro');

  step('An auditor reads who could log in to what; a caller may not. Reading is on record too.');
  const denied = await readAudit(vendorUrl, jwt);
  const read = await readAudit(vendorUrl, await issuer.mint('auditor'));
  assert.deepEqual([denied.status, read.status], [403, 200]);
  const records = read.body.events.toReversed();
  assert.deepEqual(
    records.map(({ outcome, reason }) => reason ?? outcome),
    ['issued', 'not_granted', 'not_granted', 'token_invalid', 'issued', 'issued', 'not_granted'],
  );
  assert.equal(records[0]?.id, audit_id);
  for (const { id, outcome, reason, subject, user, grant } of records) {
    show([id, outcome, reason, subject, user, grant].map((field) => field ?? '-').join('  '));
  }

  step('The records are a signed chain: audit verify finds an edited one, in a copy of the store.');
  const whole = await verifyAudit(state, 'config.yaml');
  const edited = await verifyAudit(state, editedCopy(state));
  assert.deepEqual([whole.status, edited.status], [0, 1], whole.lines.concat(edited.lines).join('\n'));
  for (const line of [...whole.lines, ...edited.lines]) show(line);
}

type Issued = {
  readonly token: string;
  readonly expires_at: string;
  readonly limited_by: string;
  readonly audit_id: string;
  readonly connection: Readonly<Record<'host' | 'database' | 'user' | 'application_name', string>> & { port: number };
  readonly ca_bundle: { readonly href: string; readonly sha256: string; readonly certificates: number };
};
type Problem = { readonly type: string; readonly title: string };
type Answer = { readonly status: number; readonly body: Issued & Problem };

async function ask(vendorUrl: string, jwt: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const headers = { authorization: `Bearer ${jwt}` };
  const response = await fetch(new URL('/v1/tokens', vendorUrl), {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
  });
  // Which of the two it is, each step knows by the status that it asserts.
  const body: Issued & Problem = JSON.parse(await response.text());
  return { status: response.status, body };
}
