import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caBundleUrl, fetchUrl } from '../../src/rds/ca-bundle-urls.ts';

/** As AWS publishes them: "Using SSL/TLS to encrypt a connection to a DB instance". */
const PUBLISHED: Readonly<Record<string, string>> = {
  global: 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
  'us-west-2': 'https://truststore.pki.rds.amazonaws.com/us-west-2/us-west-2-bundle.pem',
  'mx-central-1': 'https://truststore.pki.rds.amazonaws.com/mx-central-1/mx-central-1-bundle.pem',
  'us-gov-west-1': 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-west-1/us-gov-west-1-bundle.pem',
  'us-gov-east-1': 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-east-1/us-gov-east-1-bundle.pem',
  'cn-north-1': 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/cn-north-1/cn-north-1-bundle.pem',
  'cn-northwest-1': 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/cn-northwest-1/cn-northwest-1-bundle.pem',
};

for (const [id, url] of Object.entries(PUBLISHED)) {
  test(`${id} is published, and fetched, at ${url}`, () => {
    assert.equal(caBundleUrl(id), url);
    assert.equal(fetchUrl(id, undefined), url);
  });
}

test('amazon-roots is named after its page and never fetched, from AWS or a mirror', () => {
  assert.equal(caBundleUrl('amazon-roots'), 'https://www.amazontrust.com/repository/');
  assert.equal(fetchUrl('amazon-roots', undefined), undefined);
  assert.equal(fetchUrl('amazon-roots', 'https://mirror.example'), undefined);
});

test('a mirror has the same paths for every partition, with or without slashes at its end', () => {
  for (const source of ['https://mirror.example/rds', 'https://mirror.example/rds/', 'https://mirror.example/rds//']) {
    assert.equal(fetchUrl('global', source), 'https://mirror.example/rds/global/global-bundle.pem');
    assert.equal(fetchUrl('cn-north-1', source), 'https://mirror.example/rds/cn-north-1/cn-north-1-bundle.pem');
  }
});
