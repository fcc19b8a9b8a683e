import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createPostgresStore } from '../../src/audit/postgres/postgres-store.ts';
import type { PostgresConfig, PostgresServer } from './postgres-server.ts';

/** The message that opening a store rejects with. It never holds the password. */
export async function postgresRefusal(
  t: TestContext,
  { password }: PostgresServer,
  config: PostgresConfig,
  create = true,
): Promise<string> {
  const store = createPostgresStore(config, 'pod-1');
  t.after(() => store.close());
  const error: unknown = await store.open(create).then(
    () => assert.fail('it opened'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes(password));
  return error.message;
}
