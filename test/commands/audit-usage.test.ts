import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audit } from '../../src/commands/audit.ts';
import { type CommandContext, UsageError } from '../../src/commands/command.ts';
import { auditFolder } from '../support/audit-folder.ts';

const CALLS: readonly (readonly string[])[] = [
  ...[[], ['odd'], ['verify', 'x'], ['verify', '--odd'], ['verify', '--limit', '1'], ['find'], ['find', '--user', 'a']],
  ...[
    ['list', '--limit', '0'],
    ['list', '--limit', '10001'],
    ['list', '--limit', '1e2'],
    ['list', '--limit'],
  ],
  ...[
    ['list', '--from', 'yesterday'],
    ['list', '--from', ''],
    ['list', '--from', '2026-11-24T10:15:00'],
  ],
  ...[
    ['list', '--to', '1960-01-01'],
    ['list', '--from', '1h', '--to', '2h'],
    ['list', '--from', '2026-13-01'],
  ],
  ...[
    ['list', '--outcome', 'ok'],
    ['list', '--action', 'token'],
    ['list', '--user', 'a', '--user', 'b'],
  ],
  ...[
    ['export', '--format', 'xml'],
    ['export', '--format', 'toString'],
    ['export', '--format', ''],
  ],
];

for (const args of CALLS) {
  test(`audit ${args.join(' ')} is a wrong call, and nothing is opened for it`, async () => {
    await assert.rejects(audit(contextOf([...args, '--config', '/nowhere/config.yaml'])), UsageError);
  });
}

function contextOf(args: readonly string[]): CommandContext {
  const said = (text: string) => assert.fail(`it said ${text}`);
  return { args, env: {}, version: '', input: () => assert.fail(), print: said, printError: said, write: said };
}

test('a wrong call says how to call it, with status 2', async (t) => {
  const folder = await auditFolder(t);
  const { status, stdout, stderr } = await folder.audit('list', '--limit', '0');
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^--limit is a number from 1 to 10000\.\n\nUsage: rds-token-vendor/);
});
