import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseUserArn, partitionOf } from '../../src/issuance/database.ts';
import { database } from '../support/catalog.ts';

const PARTITIONS: readonly [region: string, partition: string][] = [
  ['us-west-2', 'aws'],
  ['eu-central-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
  ['xus-gov-1', 'aws'],
  ['eu-cn-1', 'aws'],
];
for (const [region, partition] of PARTITIONS) {
  test(`ARNs of ${region} begin with arn:${partition}`, () => {
    assert.equal(partitionOf(region), partition);
    assert.equal(
      databaseUserArn(database({ region }), 'app_rw'),
      `arn:${partition}:rds-db:${region}:123456789012:dbuser:cluster-ABCDEFGH/app_rw`,
    );
  });
}
