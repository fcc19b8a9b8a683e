import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySourceOf } from '../../src/jwt/key-source.ts';
import { loadText, VALID } from '../support/config-file.ts';

function source(more: string) {
  const text = VALID.replace('audiences: [vendor]\n', `audiences: [vendor]\n${more}`);
  const [issuer] = loadText(text, {}, ['ca.pem', 'token', 'jwks.json']).config.issuers;
  return keySourceOf(issuer ?? assert.fail());
}

const URL = '    jwks: { url: "https://idp.example/k" }\n';

test('keys come by discovery, from an address, or from a file, with what they are asked for with', () => {
  const issuer = 'https://idp.example';
  assert.deepEqual(source(''), { issuer, jwks: { kind: 'discovery' }, caFile: undefined, bearerTokenFile: undefined });
  const location = 'https://idp.example/k';
  assert.deepEqual(source(URL), {
    issuer,
    jwks: { kind: 'url', location },
    caFile: undefined,
    bearerTokenFile: undefined,
  });
  const file = source('    jwks: { file: jwks.json }\n');
  assert.deepEqual([file.issuer, file.jwks.kind], [issuer, 'file']);
  assert.match(file.jwks.kind === 'file' ? file.jwks.location : '', /^\/.*\/jwks\.json$/);
});

test('the CA and the bearer token of an issuer go along', () => {
  const files = '    caFile: ca.pem\n    bearerTokenFile: token\n';
  for (const found of [source(files), source(URL + files)]) {
    assert.match(String(found.caFile), /^\/.*\/ca\.pem$/);
    assert.match(String(found.bearerTokenFile), /^\/.*\/token$/);
  }
});
