import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { type AuditStore, openAuditLog } from '../../src/audit/open-audit-log.ts';
import { type AuditLog, type AuditRecord, beginAuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { runAuditWriter } from '../support/run-audit-writer.ts';

export type StoredRecord = { readonly record: AuditRecord; readonly instance: string; readonly sequence: number };

/** An empty store and a way to read it that shares nothing with the code under test. */
export type EmptyStore = {
  readonly store: AuditStore;
  /** All records in the order of instance and sequence. */
  read(): Promise<StoredRecord[]> | StoredRecord[];
};

/** What every audit store must do. `prepare` cleans up after the test it is given. */
export function conformsToAuditLog(name: string, prepare: (test: TestContext) => Promise<EmptyStore>): void {
  describe(`${name} as an audit log`, () => {
    it('has made a record durable when record() resolves', async (test) => {
      const { log, read } = await opened(test);
      const record = auditRecord();
      await log.record(record);
      assert.deepEqual(await read(), [{ record, instance: 'pod-1', sequence: 1 }]);
    });

    it('keeps a record of which nothing is known but the request', async (test) => {
      const { log, read } = await opened(test);
      const facts = { action: 'caller.get', clientAddress: null, userAgent: null, requestId: null } as const;
      const record = beginAuditRecord('id-1', 1, 'hash', facts);
      await log.record(record);
      assert.deepEqual((await read())[0]?.record, record);
    });

    const odd = {
      'an empty string': '',
      'quotes and SQL': `'; DROP TABLE audit_records; --"`,
      'line ends and control characters': 'a\r\nb\u0000c\u001b[31m\u007f',
      'right-to-left and combining marks': '\u202egro.elgoog\u202c e\u0301',
      'characters beyond the basic plane': '𝕒😀\u{10ffff}',
      'a byte order mark and non-characters': '\ufeffa\ufffe\uffff',
      'a number, null and JSON in words': '1e400 null {"a":[]}',
      '16 KiB': 'é'.repeat(8_192),
    };
    for (const [what, text] of Object.entries(odd)) {
      it(`keeps ${what} as it is in every text field`, async (test) => {
        const { log, read } = await opened(test);
        const record = auditRecord({ reason: text, detail: text, issuer: text, subject: text, jtiHash: text });
        const more = { database: text, endpoint: text, host: text, region: text, user: text, resourceArn: text };
        const rest = { grant: text, accessKeyId: text, client: text, clientAddress: text, userAgent: text };
        const all = { ...record, ...more, ...rest, requestId: text, tokenFingerprint: text, configHash: text };
        await log.record(all);
        assert.deepEqual((await read())[0]?.record, all);
      });
    }

    it('keeps half a surrogate pair as the replacement character, as UTF-8 must', async (test) => {
      const { log, read } = await opened(test);
      await log.record(auditRecord({ subject: 'a\ud800b' }));
      assert.equal((await read())[0]?.record.subject, 'a\ufffdb');
    });

    it('numbers the records of an instance in the order they came, on across a restart', async (test) => {
      const { store, log, read } = await opened(test);
      const records = Array.from({ length: 5 }, () => auditRecord());
      await Promise.all(records.slice(0, 3).map((record) => log.record(record)));
      await log.close();
      const next = await opened(test, { store, read });
      for (const record of records.slice(3)) await next.log.record(record);
      const expected = records.map((record, index) => ({ record, instance: 'pod-1', sequence: index + 1 }));
      assert.deepEqual(await read(), expected);
    });

    it('numbers two instances that share the store each from 1', async (test) => {
      const first = await opened(test);
      const second = await opened(test, first, 'pod-2');
      await Promise.all([first, second, first, second].map(({ log }) => log.record(auditRecord())));
      const numbers = (await first.read()).map(({ instance, sequence }) => `${instance}:${sequence}`);
      assert.deepEqual(numbers, ['pod-1:1', 'pod-1:2', 'pod-2:1', 'pod-2:2']);
    });

    it('keeps each of 1,000 concurrent records', async (test) => {
      const { log, read } = await opened(test);
      const records = Array.from({ length: 1_000 }, () => auditRecord());
      await Promise.all(records.map((record) => log.record(record)));
      assert.deepEqual(
        (await read()).map(({ record }) => record),
        records,
      );
    });

    it('refuses a second record of the same id and keeps those that came with it', async (test) => {
      const { log, read } = await opened(test);
      const [first, second] = [auditRecord(), auditRecord()];
      const again = { ...first, subject: 'another' };
      const results = await Promise.allSettled([first, again, second].map((record) => log.record(record)));
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.deepEqual(
        (await read()).map(({ record, sequence }) => [record.id, record.subject, sequence]),
        [
          [first.id, first.subject, 1],
          [second.id, second.subject, 2],
        ],
      );
    });

    it('answers a probe and leaves no record of it', async (test) => {
      const { log, read } = await opened(test);
      await log.probe();
      await Promise.all([log.probe(), log.record(auditRecord()), log.probe()]);
      assert.equal((await read()).length, 1);
    });

    it('flushes the records under way when it closes', async (test) => {
      const { log, read } = await opened(test);
      const under = Array.from({ length: 100 }, () => log.record(auditRecord()));
      await log.close();
      await Promise.all(under);
      assert.equal((await read()).length, 100);
    });

    it('rejects records and probes once it is closed, and closes twice without harm', async (test) => {
      const { log, read } = await opened(test);
      await Promise.all([log.close(), log.close()]);
      await assert.rejects(log.record(auditRecord()), { name: 'Fault', code: 'audit_unavailable' });
      await assert.rejects(log.probe(), { name: 'Fault', code: 'audit_unavailable' });
      assert.deepEqual(await read(), []);
    });

    it('has every record that a writer killed with SIGKILL reported durable, without a gap', async (test) => {
      const { store, read } = await prepare(test);
      const durable: string[] = [];
      for (let round = 0; round < 4; round++) {
        const outcome = await runAuditWriter(store, { instance: 'pod-1', killAfter: randomInt(1, 1_500) });
        assert.deepEqual([outcome.faults, outcome.stderr], [[], '']);
        durable.push(...outcome.durable);
      }
      const stored = await read();
      const ids = new Set(stored.map(({ record }) => record.id));
      assert.deepEqual(
        durable.filter((id) => !ids.has(id)),
        [],
      );
      assert.deepEqual(
        stored.map(({ sequence }) => sequence),
        stored.map((_, index) => index + 1),
      );
    });

    async function opened(
      test: TestContext,
      empty?: EmptyStore,
      instance = 'pod-1',
    ): Promise<EmptyStore & { log: AuditLog }> {
      const { store, read } = empty ?? (await prepare(test));
      const log = await openAuditLog(store, { name: instance });
      test.after(() => log.close());
      return { store, read, log };
    }
  });
}
