import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { API, mintJwt, post, SECRET_KEY, writeServiceFiles } from './support/running-service.ts';
import { runProgram } from './support/service-process.ts';

const SESSION_TOKEN = 'FwoGZXIvYXdzEXAMPLESESSIONTOKEN'.repeat(8);
const STORES = { sqlite: '{ type: sqlite, path: data/audit.db }', file: '{ type: file, directory: data/audit }' };
const EXPORTS = ['ndjson', 'json', 'csv', 'cloudevents', 'ocsf'];

for (const [kind, store] of Object.entries(STORES)) {
  test(`no secret is in any output: log, copies, ${kind} store, audit over HTTP, commands, metrics, refusals`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'rtv-secrets-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const config = join(folder, 'config.yaml');
    const auditors = `auditors: [{ name: security, issuer: cluster, subject: auditor }]\n`;
    const key = writeServiceFiles(
      folder,
      (text) => `${text}${auditors}audit: { store: ${store}, copyToStdout: true, keepClaims: [email] }\n`,
    );
    const program = runProgram(t, ['--config', config], { AWS_SESSION_TOKEN: SESSION_TOKEN });
    let printed = '';
    program.child.stdout.on('data', (text) => (printed += String(text)));
    const url = await program.listening;
    const adminUrl = /"admin_url":"([^"]+)"/.exec(printed)?.[1];
    const jwt = await mintJwt(key, { email: 'api@corp.example' });
    const auditor = await mintJwt(key, { sub: 'auditor' });
    const forged = `${jwt.slice(0, -8)}AAAAAAAA`;
    const stranger = await mintJwt(key, { sub: 'nobody' });
    const outputs: Record<string, string> = {};
    const tokens: string[] = [];

    for (const format of ['json', 'token', 'uri', 'env']) {
      const fields = { database: 'orders', user: 'app_rw', format };
      const answer = await fetch(new URL('/v1/tokens', url), post(fields, { authorization: `Bearer ${jwt}` }));
      const text = await answer.text();
      assert.equal(answer.status, 201);
      if (format === 'json') tokens.push(JSON.parse(text).token);
      if (format === 'token') tokens.push(text);
    }
    for (const [what, bearer] of Object.entries({ forged, stranger })) {
      const fields = { database: 'orders', user: tokens[0] };
      const answer = await fetch(new URL('/v1/tokens', url), post(fields, { authorization: `Bearer ${bearer}` }));
      outputs[`the answer to ${what}`] = await answer.text();
    }
    const reading = { headers: { authorization: `Bearer ${auditor}` } };
    for (const format of ['json', 'ndjson', 'csv']) {
      const answer = await fetch(new URL(`/v1/audit/events?format=${format}`, url), reading);
      assert.equal(answer.status, 200);
      outputs[`events as ${format}`] = await answer.text();
    }
    for (const path of ['/metrics', '/readyz']) outputs[path] = await (await fetch(new URL(path, adminUrl))).text();
    program.child.kill('SIGTERM');
    const { stdout, stderr } = await program.ended;
    assert.match(stdout, /"hash":/);
    outputs['the log and the copies'] = stdout + stderr;

    const leaked = join(folder, 'leaked.txt');
    writeFileSync(leaked, tokens[0] ?? '');
    const commands = [
      ['verify'],
      ['verify', '--json'],
      ['list'],
      ['find', '--token-file', leaked],
      ['find', '--token-file', leaked, '--json'],
      ...EXPORTS.map((format) => ['export', '--format', format]),
    ];
    for (const args of commands) {
      const ended = await runProgram(t, ['audit', ...args, '--config', config]).ended;
      assert.equal(ended.status, 0, `audit ${args.join(' ')}: ${ended.stderr}`);
      outputs[`audit ${args.join(' ')}`] = ended.stdout + ended.stderr;
    }
    rmSync(leaked);
    for (const file of globSync('data/**', { cwd: folder })) {
      const path = join(folder, file);
      if (statSync(path).isFile() && !file.endsWith('.pem')) outputs[file] = readFileSync(path, 'latin1');
    }

    assert.ok(JSON.stringify(outputs).includes(API), 'what is searched holds records');
    const secrets = {
      ...Object.fromEntries([jwt, auditor, forged, stranger].map((each, index) => [`JWT ${index}`, each.slice(-40)])),
      ...Object.fromEntries(tokens.map((token, index) => [`token ${index}`, token.slice(-40)])),
      signature: 'X-Amz-Signature=',
      'secret key': SECRET_KEY,
      'session token': SESSION_TOKEN.slice(0, 40),
      'encoded session token': encodeURIComponent(SESSION_TOKEN).slice(0, 40),
      'private key': 'PRIVATE KEY',
    };
    for (const [where, text] of Object.entries(outputs)) {
      for (const [what, secret] of Object.entries(secrets)) assert.ok(!text.includes(secret), `${what} in ${where}`);
      assert.doesNotMatch(text, /eyJ[\w-]{10,}\.[\w-]/, `a JWT in ${where}`);
    }
  });
}
