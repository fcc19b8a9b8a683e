import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDirectory } from '../support/audit-setup.ts';
import { eventually } from '../support/eventually.ts';
import { mintJwt, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';

/* The program against clients that are not Node: curl and openssl s_client, with certificates that openssl issued. */

test('curl and openssl agree that TLS 1.2 and 1.3 are spoken, and nothing older or weaker', async (t) => {
  const { curl, openssl } = await start(t);
  for (const [version, flag] of [
    ['TLSv1.3', '-tls1_3'],
    ['TLSv1.2', '-tls1_2'],
  ] as const) {
    const { stdout } = openssl(flag);
    assert.match(stdout, new RegExp(`${version}[^]*Verify return code: 0`));
  }
  assert.match(openssl('-tls1_2').stdout, /Secure Renegotiation IS supported[^]*Compression: NONE/);
  for (const offer of [
    '-tls1 -cipher ALL:@SECLEVEL=0',
    '-tls1_1 -cipher ALL:@SECLEVEL=0',
    '-tls1_2 -cipher AES128-GCM-SHA256',
    '-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0',
    '-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384',
    '-tls1_2 -cipher aNULL:@SECLEVEL=0',
    '-tls1_2 -cipher DHE:@SECLEVEL=0',
    '-alpn h2',
  ]) {
    const { status, stdout, stderr } = openssl(offer);
    assert.notEqual(status, 0, offer);
    assert.match(stderr, /alert/, `${offer}: ${stderr}`);
    assert.match(stdout, /Cipher is \(NONE\)/, offer);
  }
  assert.match(curl('/v1/ca-bundles -w "%{http_version} %{http_code}" -o /dev/null --http2').stdout, /^1\.1 200$/);
  const headers = curl('/v1/ca-bundles -D - -o /dev/null').stdout;
  assert.match(headers, /^strict-transport-security: max-age=31536000\r$/im);
});

test('a client of openssl cannot renegotiate, and where certificates are asked for it cannot resume', async (t) => {
  const { openssl, folder } = await start(t, 'optional');
  const renegotiated = openssl('-tls1_2', 'R\n');
  assert.match(`${renegotiated.stdout}${renegotiated.stderr}`, /RENEGOTIATING[^]*no renegotiation/);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const session = join(folder, `session${version}`);
    openssl(`${version} -cert a.pem -key a.key -sess_out ${session}`);
    const second = openssl(`${version} -cert b.pem -key b.key -sess_in ${session}`);
    assert.match(second.stdout, /^New, TLSv1/m);
    assert.doesNotMatch(second.stdout, /^Reused/m);
  }
  assert.match(openssl('-tls1_2').stdout, /Acceptable client certificate CA names\nCN = clients\n/);
});

test('where no certificates are asked for, openssl resumes: the test above could tell', async (t) => {
  const { openssl, folder } = await start(t);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const session = join(folder, `session${version}`);
    openssl(`${version} -sess_out ${session}`);
    assert.match(openssl(`${version} -sess_in ${session}`).stdout, /^Reused, TLSv1/m);
  }
});

test('curl gets a token with a bound JWT and its certificate, and with nothing less', async (t) => {
  const { curl, mint, thumbprint } = await start(t, 'optional');
  const bound = await mint({ cnf: { 'x5t#S256': thumbprint } });
  const ask = (jwt: string, more = '') =>
    curl(`/v1/tokens -d database=orders -d user=app_rw -H "Authorization: Bearer ${jwt}" -w "\\n%{http_code}" ${more}`)
      .stdout;
  for (const version of ['--tlsv1.2 --tls-max 1.2', '--tlsv1.3']) {
    assert.match(ask(bound, `--cert a.pem --key a.key ${version}`), /"token":"orders[^]*\n201$/);
    assert.match(ask(bound, `--cert b.pem --key b.key ${version}`), /problem:token-invalid[^]*\n401$/);
    assert.match(ask(bound, version), /problem:token-invalid[^]*\n401$/);
    assert.match(ask(await mint({}), version), /\n201$/);
    assert.match(ask(await mint({}), `--cert a.pem --key a.key ${version}`), /\n201$/);
    // curl says 000 where no HTTP came.
    for (const bad of ['foreign', 'expired', 'server']) {
      assert.match(ask(await mint({}), `--cert ${bad}.pem --key ${bad}.key ${version}`), /^\n000$/, bad);
    }
  }
});

test('where certificates are required, curl is told so, and gets in with one', async (t) => {
  const { curl } = await start(t, 'required');
  const without = curl('/v1/ca-bundles');
  assert.notEqual(without.status, 0);
  assert.match(without.stderr, /alert certificate required|certificate required/);
  assert.match(curl('/v1/ca-bundles --cert a.pem --key a.key').stdout, /us-west-2/);
});

test('plain HTTP on the TLS port is not answered', async (t) => {
  const { port } = await start(t);
  const { status, stdout } = sh(`curl -sS -m 20 http://127.0.0.1:${port}/v1/ca-bundles`, '/');
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
});

test('a mounted Secret that is renewed is shown within seconds, and a pair that does not fit never is', async (t) => {
  const { openssl, folder } = await start(t);
  const serial = () => /Serial Number:\s*([0-9a-f:]+)/i.exec(openssl('').serial)?.[1];
  const first = serial();
  assert.ok(first !== undefined);
  // As Kubernetes does: a new folder, and one rename of the link that leads to it.
  const swap = (name: string, cert: string, key: string) => {
    mkdirSync(join(folder, name));
    sh(`cp ${cert} ${name}/tls.crt && cp ${key} ${name}/tls.key`, folder);
    symlinkSync(name, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  swap('..2', 'renewed.pem', 'renewed.key');
  const second = await eventually(() => {
    const shown = serial();
    assert.notEqual(shown, first);
    return Promise.resolve(shown);
  });
  swap('..3', 'srv.pem', 'renewed.key');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.equal(serial(), second);
});

const CONFIG_BY_MODE = {
  none: '',
  optional: ', clientCaFile: clients.pem, clientCertificates: optional',
  required: ', clientCaFile: clients.pem, clientCertificates: required',
};

/** Starts the program with TLS, and gives what asks it. */
async function start(t: TestContext, mode: keyof typeof CONFIG_BY_MODE = 'none') {
  const folder = testDirectory(t);
  makeCertificates(folder);
  mkdirSync(join(folder, '..1'));
  sh('cp srv.pem ..1/tls.crt && cp srv.key ..1/tls.key && ln -s ..1 ..data', folder);
  sh('ln -s ..data/tls.crt tls.crt && ln -s ..data/tls.key tls.key', folder);
  const tls = `tls: { certFile: tls.crt, keyFile: tls.key${CONFIG_BY_MODE[mode]} }`;
  const key = writeServiceFiles(folder, (text) => text.replace('server: {', `server: { ${tls},`));
  const { listening } = runProgram(t, ['--config', join(folder, 'config.yaml')]);
  const url = new URL(await listening);
  assert.equal(url.protocol, 'https:');
  return {
    folder,
    port: url.port,
    mint: (claims: object) => mintJwt(key, { ...claims }),
    /** SHA-256 of a.pem's DER, computed by openssl. */
    thumbprint: sh(
      'openssl x509 -in a.pem -outform DER | openssl dgst -sha256 -binary | base64 | tr +/ -_ | tr -d =',
      folder,
    ).stdout.trim(),
    curl: (args: string) => sh(`curl -sS -m 20 --cacert server-ca.pem https://localhost:${url.port}${args}`, folder),
    openssl(args: string, input = 'Q\n') {
      const connect = `openssl s_client -connect 127.0.0.1:${url.port} -servername localhost -CAfile server-ca.pem ${args}`;
      // TLS 1.3 sends sessions after the handshake, and the answer to a renegotiation takes a moment too.
      const said = sh(`{ sleep 0.3; printf '${input.replace('\n', '\\n')}'; sleep 0.3; } | ${connect}`, folder);
      const serial = sh('openssl x509 -noout -text', folder, said.stdout).stdout;
      return { ...said, serial };
    },
  };
}

function sh(script: string, cwd: string, input = '') {
  return spawnSync('sh', ['-c', script], { cwd, encoding: 'utf8', input, timeout: 60_000 });
}

/** Two CAs, the server's certificates, and clients that are good, foreign, expired, and a server's. */
function makeCertificates(folder: string): void {
  writeFileSync(
    join(folder, 'make.sh'),
    `set -eu
    ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.pem \\
      -subj "/CN=$2" -days 30 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign; }
    leaf() { # leaf NAME CA USAGE MORE…
      name=$1 ca=$2 usage=$3; shift 3
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj "/CN=$name"
      printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nextendedKeyUsage=%s\\n' $usage > $name.ext
      openssl x509 -req -in $name.csr -CA $ca.pem -CAkey $ca.key -extfile $name.ext -out $name.pem "$@"; }
    ca server-ca server; ca clients clients; ca strangers clients
    leaf srv server-ca serverAuth -days 30
    leaf renewed server-ca serverAuth -days 30
    leaf a clients clientAuth -days 30
    leaf b clients clientAuth -days 30
    leaf server clients serverAuth -days 30
    leaf foreign strangers clientAuth -days 30
    leaf expired clients clientAuth -days -1
    `,
  );
  const { status, stderr } = sh('sh make.sh', folder);
  assert.equal(status, 0, stderr);
}
