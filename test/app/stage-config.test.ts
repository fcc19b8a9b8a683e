import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Permanent, stageConfig } from '../../src/app/stage-config.ts';
import { loadText, VALID } from '../support/config-file.ts';

test('of a configuration whose part cannot be made, nothing is left of the parts before it', async () => {
  const events: string[] = [];
  const staged = <Part>(name: string, part: Part) => ({
    part,
    commit: () => void events.push(`${name} committed`),
    discard: () => void events.push(`${name} discarded`),
  });
  const bundles = { get: () => assert.fail(), find: () => undefined, list: () => [], close: () => Promise.resolve() };
  const fail = (what: string) => assert.fail(what);
  const permanent: Permanent = {
    auditReader: { page: () => fail('page'), get: () => fail('get'), close: () => Promise.resolve() },
    now: () => 0,
    onDecision: () => fail('decision'),
    tls: undefined,
    issuance: {
      audit: { record: () => fail('audit'), probe: () => fail('probe'), close: () => fail('close') },
      newAuditId: () => fail('id'),
      signAuthToken: () => fail('sign'),
    },
    caBundles: { stage: () => Promise.resolve(staged('bundles', bundles)), close: () => Promise.resolve() },
    issuers: { stage: () => Promise.resolve(staged('issuers', [])), close() {} },
    aws: {
      stage() {
        throw new Error('no plan');
      },
      start: () => fail('start'),
      readiness: () => fail('readiness'),
      close() {},
    },
  };
  await assert.rejects(stageConfig(loadText(VALID), permanent), { message: 'no plan' });
  assert.deepEqual(events.sort(), ['bundles discarded', 'issuers discarded']);
});
