import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadText, problemsOf, VALID, warningsOf, withChange } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

const mistakes: readonly Mistake[] = [
  [
    'a store of another kind',
    'limits:',
    'audit: { store: { type: mongo } }\nlimits:',
    '27:25: audit.store.type cannot be "mongo". Write type: sqlite, postgres or file.',
  ],
  [
    'a store without a type',
    'limits:',
    'audit: { store: { path: x } }\nlimits:',
    '27:10: audit.store.type is missing. Write type: sqlite, postgres or file.',
  ],
  [
    'a PostgreSQL store without a host',
    'limits:',
    'audit: { store: { type: postgres } }\nlimits:',
    '27:10: audit.store.host is missing. Write a host name, an IP address, or the absolute path of the folder of a Unix socket.',
  ],
  [
    'a PostgreSQL store on another machine without TLS',
    'limits:',
    'audit: { store: { type: postgres, host: db.corp.example, tls: false } }\nlimits:',
    '27:63: audit.store.tls is false, and db.corp.example is another machine. Remove it, and set caFile where the CA is a private one.',
  ],
  [
    'a password in the file',
    'limits:',
    'audit: { store: { type: postgres, host: db.corp.example, password: hunter2 } }\nlimits:',
    '27:58: audit.store.password is not a known key. Remove it, or write one of: type, host, port, database, user, passwordFile, tls, caFile.',
  ],
  [
    'a URL as the host',
    'limits:',
    'audit: { store: { type: postgres, host: "postgres://db" } }\nlimits:',
    '27:41: audit.store.host cannot be "postgres://db". Write a host name, an IP address, or the absolute path of the folder of a Unix socket.',
  ],
  [
    'a size in another unit',
    'limits:',
    'audit: { store: { type: file, rotateSize: 10KB } }\nlimits:',
    '27:43: audit.store.rotateSize cannot be "10KB". Write a size from 1MiB to 16GiB: a number and MiB or GiB.',
  ],
  [
    'files of no size',
    'limits:',
    'audit: { store: { type: file, rotateSize: 0MiB } }\nlimits:',
    '27:43: audit.store.rotateSize cannot be "0MiB". Write a size from 1MiB to 16GiB: a number and MiB or GiB.',
  ],
  [
    'an instance with a space',
    'limits:',
    'audit: { instance: "pod 1" }\nlimits:',
    "27:20: audit.instance cannot be \"pod 1\". Write a name of at most 253 letters, digits, '.', '_' or '-', that begins with a letter or a digit.",
  ],
  [
    'a retention without a unit',
    'limits:',
    'audit: { retention: 400 }\nlimits:',
    '27:21: audit.retention cannot be 400. Write a time from 1d to 3660d: a number and d.',
  ],
  [
    'a retention of no days',
    'limits:',
    'audit: { retention: 0d }\nlimits:',
    '27:21: audit.retention cannot be "0d". Write a time from 1d to 3660d: a number and d.',
  ],
  [
    'a reserve without a unit',
    'limits:',
    'audit: { diskReserve: 64 }\nlimits:',
    '27:23: audit.diskReserve cannot be 64. Write a size from 0MiB to 1024GiB: a number and MiB or GiB.',
  ],
  [
    'a claim to keep that is not in a list',
    'limits:',
    'audit: { keepClaims: email }\nlimits:',
    '27:22: audit.keepClaims cannot be "email". Write a list: [a, b], or one item a line, each behind a dash.',
  ],
  [
    'a claim to keep of digits',
    'limits:',
    'audit: { keepClaims: ["1"] }\nlimits:',
    '27:23: audit.keepClaims[0] cannot be "1". Write a claim\'s path: names joined by dots, not only digits.',
  ],
  [
    'a text for true',
    'limits:',
    'audit: { copyToStdout: "yes" }\nlimits:',
    '27:24: audit.copyToStdout cannot be "yes". Write true or false, without quotes.',
  ],
  [
    'an unknown key',
    'limits:',
    'audit: { retain: 4d }\nlimits:',
    '27:10: audit.retain is not a known key. Remove it, or write one of: store, instance, checkpointKeyFile, copyToStdout, keepClaims, retention, diskReserve.',
  ],
  [
    'an auditor that is everybody',
    'limits:',
    'auditors: [{ name: a, issuer: cluster }]\nlimits:',
    '27:12: auditors[0] does not say which callers it is for. Write subject, subjectGlob, namespace or claims: an auditor to every caller of an issuer is not accepted.',
  ],
  [
    'an auditor of an unknown issuer',
    'limits:',
    'auditors: [{ name: a, issuer: clustr, subject: x }]\nlimits:',
    '27:31: auditors[0].issuer names clustr, which is no issuer. Did you mean cluster?',
  ],
  [
    'an auditor with two subjects',
    'limits:',
    'auditors: [{ name: a, issuer: cluster, subject: x, subjectGlob: "x*" }]\nlimits:',
    '27:12: auditors[0] has both subject and subjectGlob. Keep one of them; write two grants for two kinds of subject.',
  ],
  [
    'two auditors of one name',
    'limits:',
    'auditors: [{ name: a, issuer: cluster, subject: x }, { name: a, issuer: corp, subject: y }]\nlimits:',
    '27:62: auditors[1] has the name a, and so has auditors[0]. Give each its own name: audit records hold it.',
  ],
  [
    'an auditor with allow',
    'limits:',
    'auditors: [{ name: a, issuer: cluster, subject: x, allow: [] }]\nlimits:',
    '27:52: auditors[0].allow is not a known key. Remove it, or write one of: name, issuer, subject, subjectGlob, claims, namespace, serviceAccount, sourceCidrs, when.',
  ],
  [
    'an empty path',
    'limits:',
    'audit: { store: { type: sqlite, path: "" } }\nlimits:',
    "27:39: audit.store.path is empty. Write a file's path; a relative one starts at this file's folder.",
  ],
];

testMistakes(mistakes);

const withAudit = (text: string) => withChange('limits:', `${text}\nlimits:`);

test('what is left out of audit gets its default', () => {
  const { audit, auditors } = loadText(VALID).config;
  const { store, checkpointKeyFile, ...rest } = audit;
  assert.equal(store.type, 'sqlite');
  assert.match(checkpointKeyFile, /\/data\/checkpoint-key\.pem$/);
  assert.deepEqual(rest, { copyToStdout: false, keepClaims: [], diskReserve: 64 * 1024 * 1024 });
  assert.deepEqual(auditors, []);
});

test('sizes are read as bytes and days as milliseconds', () => {
  const { audit } = loadText(withAudit('audit: { store: { type: file, rotateSize: 2GiB }, retention: 400d }')).config;
  assert.equal(audit.store.type === 'file' && audit.store.rotateSize, 2 * 1024 ** 3);
  assert.equal(audit.retention, 400 * 86_400_000);
});

test('PostgreSQL without TLS is for this machine only', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '/var/run/postgresql']) {
    const text = withAudit(`audit: { store: { type: postgres, host: "${host}", tls: false } }`);
    assert.deepEqual(problemsOf(text), [], host);
  }
});

test('a password file that does not exist is a problem', () => {
  const text = withAudit('audit: { store: { type: postgres, host: db.corp.example, passwordFile: nowhere } }');
  assert.match(problemsOf(text).join(), /^27:72: audit\.store\.passwordFile: the file .*nowhere does not exist\./);
});

test('an auditor whose subject looks like a pattern is warned of', () => {
  const warnings = warningsOf(withAudit('auditors: [{ name: a, issuer: cluster, subject: "x*" }]'));
  assert.deepEqual(warnings, [
    '27:49: auditors[0].subject holds a *, which matches only itself here. Write subjectGlob if you mean a pattern.',
  ]);
});
