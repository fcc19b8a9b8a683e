import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRANTS, warningsOf, withChange } from '../support/config-file.ts';
import type { Mistake } from '../support/config-mistakes.ts';

const suspicious: readonly Mistake[] = [
  [
    'a host that is not an RDS endpoint',
    'orders.cluster-abc.us-west-2.rds.amazonaws.com:5432',
    'orders.corp.example:5432',
    '17:15: databases.orders.endpoints.writer is not an RDS endpoint, and RDS accepts only tokens for its own names. Write the endpoint AWS shows as host, and a CNAME or tunnel as connectHost.',
  ],
  [
    'port 443',
    '.com:5432',
    '.com:443',
    '17:15: databases.orders.endpoints.writer uses port 443, which AWS tools leave out when they sign. Use another port, or test that RDS accepts the tokens: which form it expects is not documented.',
  ],
  [
    'a proxy whose resource id is not one',
    'orders.cluster-abc.',
    'orders.proxy-abc.',
    '17:15: databases.orders.endpoints.writer is an RDS Proxy, but the resource id cluster-ABCDEFGH is not. Check that the resource id belongs to this endpoint: permissions are given on the resource id.',
  ],
  [
    'an instance id on clusters',
    'cluster-ABCDEFGH',
    'db-ABCDEFGH',
    "17:15: databases.orders.endpoints.writer is a cluster's, but the resource id db-ABCDEFGH is an instance's. Check that the resource id belongs to this endpoint: permissions are given on the resource id.",
    "19:9: databases.orders.endpoints.reader is a cluster's, but the resource id db-ABCDEFGH is an instance's. Check that the resource id belongs to this endpoint: permissions are given on the resource id.",
  ],
  [
    'a proxy id on clusters',
    'cluster-ABCDEFGH',
    'prx-ABCDEFGH',
    '17:15: databases.orders.endpoints.writer is not an RDS Proxy, but the resource id prx-ABCDEFGH is. Check that the resource id belongs to this endpoint: permissions are given on the resource id.',
    '19:9: databases.orders.endpoints.reader is not an RDS Proxy, but the resource id prx-ABCDEFGH is. Check that the resource id belongs to this endpoint: permissions are given on the resource id.',
  ],
  [
    'a star in an exact subject',
    'payments:api',
    'payments:*',
    '23:14: grants[0].subject holds a *, which matches only itself here. Write subjectGlob if you mean a pattern.',
  ],
  [
    'proxies that are everyone',
    'port: 8080',
    'trustedProxies: [0.0.0.0/0]',
    "2:20: server.trustedProxies[0] believes every client about its own address. List your proxies' addresses only.",
  ],
  [
    'no grants',
    GRANTS,
    '',
    '1:1: There is no grant: every request for a token is refused. Add a grant for each caller that may connect.',
  ],
];

for (const [what, from, to, ...warnings] of suspicious) {
  test(`${what} is accepted with a warning`, () => {
    assert.deepEqual(warningsOf(withChange(from, to)), warnings);
  });
}
