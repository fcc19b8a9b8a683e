import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { type AuditEvents, type OpenAuditLog, openAuditLog } from '../../src/audit/audit-log.ts';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { EMPTY_FRONTIER, rootOf, withLeaves } from '../../src/audit/chain/frontier.ts';
import { openReader } from '../../src/audit/open-store.ts';
import type { StoreReader } from '../../src/audit/store.ts';
import type { WriterSetup } from '../../src/audit/store-messages.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import { type AuditRecord, beginAuditRecord } from '../../src/issuance/audit-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';
import { eventually } from '../support/eventually.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';
import { asPublished, type ReadRecord, withoutHashes } from '../support/published-records.ts';
import { runAuditWriter } from '../support/run-audit-writer.ts';

/** An empty store and a way to read it that shares nothing with the code under test. */
export type EmptyStore = {
  readonly store: AuditStore;
  /** All records by their published names, without the two hashes, in the order of instance and sequence. */
  read(): Promise<readonly ReadRecord[]> | readonly ReadRecord[];
};

type Opened = EmptyStore & { readonly log: OpenAuditLog; readonly directory: string; reader(): Promise<StoreReader> };

/**
 * What every audit store must do. `prepare` cleans up after the test it is given; `onOwnDisk` is false where the disk is a
 * server's.
 */
export function conformsToStore(
  name: string,
  prepare: (test: TestContext) => Promise<EmptyStore>,
  onOwnDisk = true,
): void {
  describe(`${name} as an audit store`, () => {
    it('has made a record durable when record() resolves, and gives its id', async (test) => {
      const { log, read } = await opened(test);
      const record = auditRecord();
      assert.equal(await log.record(record), record.id);
      assert.deepEqual(await read(), [asPublished(record, 'pod-1', 1)]);
    });

    it('keeps a record of which nothing is known but the request', async (test) => {
      const { log, read } = await opened(test);
      const facts = {
        action: 'caller.get',
        clientAddress: null,
        userAgent: null,
        requestId: null,
        traceId: null,
      } as const;
      const record = beginAuditRecord(auditRecord().id, 1_790_000_000_123, 'a'.repeat(64), facts);
      await log.record(record);
      assert.deepEqual(await read(), [asPublished(record, 'pod-1', 1)]);
    });

    it('keeps every kind of value of every field', async (test) => {
      const { log, read } = await opened(test);
      const claims = { email: 'a@b', groups: ['dba', 7, true], n: -1.5, 'b.c': '' };
      const full = auditRecord({
        claims,
        repeated: 3,
        roleArn: 'arn:aws:iam::1:role/r',
        traceId: 'e'.repeat(32),
        detail: 'x',
        observed: Array.from({ length: 32 }, (_, index) => `${'n'.repeat(61)}${index + 10}`),
      });
      await log.record(full);
      assert.deepEqual(await read(), [asPublished(full, 'pod-1', 1)]);
      assert.ok(Object.values(full).every((value) => value !== null || value === full.reason));
    });

    it(`keeps ${NAUGHTY_STRINGS.length} odd texts as they are in every text field, one parseable line each`, async (test) => {
      const { log, read, reader } = await opened(test);
      const records = NAUGHTY_STRINGS.map(oddRecord);
      await Promise.all(records.map((record) => log.record(record)));
      assert.deepEqual(
        await read(),
        records.map((record, index) => asPublished(record, 'pod-1', index + 1)),
      );
      const { events } = await (await reader()).page({ filter: {}, limit: 1_000 });
      assert.equal(events.length, records.length);
      for (const line of events) assert.ok(!line.includes('\n'));
      const lines = new Map(events.map((line) => [JSON.parse(line).id, withoutHashes(line)]));
      for (const [index, record] of records.entries()) {
        assert.deepEqual(lines.get(record.id), asPublished(record, 'pod-1', index + 1));
      }
    });

    it('keeps half a surrogate pair and NUL as the replacement character', async (test) => {
      const { log, read } = await opened(test);
      const odd = ['\udc00', 'a\u0000'];
      await log.record(auditRecord({ subject: 'a\ud800b\u0000c', claims: { x: odd }, observed: odd }));
      const [{ subject, claims, observed } = {}] = await read();
      const kept = ['\ufffd', 'a\ufffd'];
      assert.deepEqual([subject, claims, observed], ['a\ufffdb\ufffdc', { x: kept }, kept]);
    });

    it('refuses a record with a value of another kind, and keeps those that came with it', async (test) => {
      const { log, read } = await opened(test);
      const wrong = [{ time: 1.5 }, { port: 'x' }, { subject: {} }, { jtiHash: 'a' }, { outcome: 'odd' }, { id: 'x' }];
      const odd = [...wrong, { observed: [] }].map((values) => Object.assign(auditRecord(), values));
      const records = [auditRecord(), ...odd, auditRecord()];
      const results = await Promise.allSettled(records.map((record) => log.record(record)));
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', ...odd.map(() => 'rejected'), 'fulfilled'],
      );
      for (const result of results)
        if (result.status === 'rejected') assert.equal(result.reason.code, 'audit_unavailable');
      const kept = (await read()).map(({ id, sequence }) => [id, sequence]);
      assert.deepEqual(kept, [
        [records[0]?.id, 1],
        [records.at(-1)?.id, 2],
      ]);
    });

    it('what a record holds beyond its fields is not kept', async (test) => {
      const { log, read } = await opened(test);
      await log.record({ ...auditRecord(), ...{ token: 'SENTINEL-1', jwt: 'SENTINEL-2' } });
      assert.ok(!JSON.stringify(await read()).includes('SENTINEL'));
    });

    it('numbers the records of an instance in the order they came, on across a restart', async (test) => {
      const first = await opened(test);
      const records = Array.from({ length: 5 }, () => auditRecord());
      await Promise.all(records.slice(0, 3).map((record) => first.log.record(record)));
      await first.log.close();
      const next = await opened(test, { like: first });
      for (const record of records.slice(3)) await next.log.record(record);
      const expected = records.map((record, index) => asPublished(record, 'pod-1', index + 1));
      assert.deepEqual(await first.read(), expected);
    });

    it('numbers two instances that share the store each from 1', async (test) => {
      const first = await opened(test);
      const second = await opened(test, { like: first, instance: 'pod-2' });
      await Promise.all([first, second, first, second].map(({ log }) => log.record(auditRecord())));
      const numbers = (await first.read()).map(({ instance, sequence }) => `${instance}:${sequence}`);
      assert.deepEqual(numbers, ['pod-1:1', 'pod-1:2', 'pod-2:1', 'pod-2:2']);
    });

    it('keeps each of 1,000 concurrent records', async (test) => {
      const { log, read } = await opened(test);
      const records = Array.from({ length: 1_000 }, () => auditRecord());
      await Promise.all(records.map((record) => log.record(record)));
      assert.deepEqual(
        (await read()).map(({ id }) => id),
        records.map(({ id }) => id),
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
      await assert.rejects(log.record(again), { code: 'audit_unavailable' });
      await log.record(auditRecord());
      assert.deepEqual(
        (await read()).map(({ subject, sequence }) => [subject, sequence]),
        [1, 2, 3].map((sequence) => [first.subject, sequence]),
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

    it('counts identical refusals of a flood together, one record for each, and issuances never', async (test) => {
      const { log, read } = await opened(test);
      const refused = { outcome: 'refused', reason: 'token_invalid', tokenFingerprint: null } as const;
      const flood = Array.from({ length: 500 }, () => auditRecord(refused));
      const other = auditRecord({ ...refused, clientAddress: '10.9.9.9' });
      const issued = Array.from({ length: 100 }, () => auditRecord());
      const ids = await Promise.all([...flood, other, ...issued].map((record) => log.record(record)));
      const records = await read();
      const counts = new Map(records.map(({ id, repeated }) => [id, repeated]));
      assert.equal(records.filter(({ outcome }) => outcome === 'issued').length, 100);
      assert.ok(records.filter(({ outcome }) => outcome === 'issued').every(({ repeated }) => repeated === 1));
      const ofFlood = new Set(ids.slice(0, flood.length));
      assert.ok(ofFlood.size < 100);
      assert.equal(
        [...ofFlood].reduce((sum, id) => sum + (counts.get(id) ?? 0), 0),
        flood.length,
      );
      assert.equal(counts.get(other.id), 1);
    });

    if (onOwnDisk) {
      it('below the disk reserve it takes nothing, and says so', async (test) => {
        const { store, read } = await prepare(test);
        const faults: string[] = [];
        const onFault = ({ message }: Error) => faults.push(message);
        const log = await openAuditLog(auditSetup(store, testDirectory(test), { diskReserve: 2 ** 52 }), { onFault });
        test.after(() => log.close());
        await assert.rejects(
          log.record(auditRecord()),
          /bytes are free on the disk, and 4503599627370496 are to stay free/,
        );
        await assert.rejects(log.probe(), { code: 'audit_unavailable' });
        assert.equal(faults.length, 1);
        assert.deepEqual(await read(), []);
      });
    }

    it('prints signed checkpoints that fit the records, every thousand records and at the end', async (test) => {
      const notes: string[] = [];
      const { log, reader, directory } = await opened(test, { events: { onCheckpoint: (note) => notes.push(note) } });
      const records = Array.from({ length: 2_500 }, (_, index) => auditRecord({ time: 1_790_000_000_000 + index }));
      await Promise.all(records.map((record) => log.record(record)));
      await log.close();
      const key = createPublicKey(readFileSync(`${directory}/checkpoint-key.pem`));
      const printed = notes.map((note) => openCheckpoint(note, key));
      assert.equal(printed.at(-1)?.size, 2_500);
      for (const [at, { size, origin }] of printed.entries()) {
        assert.equal(origin, 'rds-token-vendor/pod-1');
        assert.ok(size - (printed[at - 1]?.size ?? 0) <= 1_000);
      }
      const reading = await reader();
      assert.deepEqual(
        (await reading.checkpoints('pod-1', 0, 100)).map(({ note }) => note),
        notes,
      );
      const stored = await allRecords(reading, 'pod-1');
      let frontier = EMPTY_FRONTIER;
      const roots = stored.map(({ hash }) => rootOf((frontier = withLeaves(frontier, [hash]))).toString('hex'));
      for (const { size, root } of printed) assert.equal(root.toString('hex'), roots[size - 1]);
      const [chain] = await reading.chains();
      assert.deepEqual([chain?.instance, chain?.anchor, chain?.head?.sequence], ['pod-1', null, 2_500]);
      assert.equal(chain?.head?.checkpoint, notes.at(-1));
    });

    it('keeps a checkpoint within a second after the last record', async (test) => {
      const notes: string[] = [];
      const { log, directory } = await opened(test, { events: { onCheckpoint: (note) => notes.push(note) } });
      for (let i = 0; i < 3; i++) await log.record(auditRecord());
      const key = createPublicKey(readFileSync(`${directory}/checkpoint-key.pem`));
      await eventually(async () => assert.equal(openCheckpoint(notes.at(-1) ?? '', key).size, 3));
    });

    it('sends back each durable record as a line when copies are asked for', async (test) => {
      const lines: string[] = [];
      const { log } = await opened(test, { events: { onCopies: (copies) => lines.push(...copies) }, copies: true });
      const records = Array.from({ length: 50 }, () => auditRecord());
      await Promise.all(records.map((record) => log.record(record)));
      assert.deepEqual(
        lines.map(withoutHashes),
        records.map((record, index) => asPublished(record, 'pod-1', index + 1)),
      );
    });

    it('has every record that a writer killed with SIGKILL reported durable, without a gap', async (test) => {
      const { store, read, directory } = await prepared(test);
      const durable: string[] = [];
      for (let round = 0; round < 4; round++) {
        const outcome = await runAuditWriter(store, { directory, killAfter: 50 + round * 400 });
        assert.deepEqual([outcome.faults, outcome.stderr], [[], '']);
        durable.push(...outcome.durable);
      }
      const log = await openAuditLog(auditSetup(store, directory));
      await log.record(auditRecord());
      await log.close();
      const stored = await read();
      const ids = new Set(stored.map(({ id }) => id));
      assert.deepEqual(
        durable.filter((id) => !ids.has(id)),
        [],
      );
      assert.deepEqual(
        stored.map(({ sequence }) => sequence),
        stored.map((_, index) => index + 1),
      );
    });

    describe('read', () => {
      const BASE = 1_790_000_000_000;
      const FIELDS: readonly (readonly [keyof AuditFilter, string])[] = [
        ...([
          ['issuer', 'corp'],
          ['subject', 'alice'],
          ['database', 'billing'],
          ['user', 'admin'],
        ] as const),
        ...([
          ['endpoint', 'reader'],
          ['grant', 'dba'],
          ['outcome', 'failed'],
          ['action', 'audit.list'],
        ] as const),
      ];

      /** 60 records, one each ten seconds; every 7th has the odd value in every field that a filter names. */
      async function filled(
        test: TestContext,
      ): Promise<{ readonly reading: StoreReader; readonly records: AuditRecord[]; readonly log: OpenAuditLog }> {
        const { log, reader } = await opened(test);
        const odd = Object.fromEntries(FIELDS.map(([field, value]) => [field, value]));
        const records = Array.from({ length: 60 }, (_, index) =>
          auditRecord({
            time: BASE + index * 10_000,
            ...(index % 7 === 3 ? odd : {}),
            tokenFingerprint: index.toString(16).padStart(64, '0'),
          }),
        );
        for (const record of records) await log.record(record);
        return { log, reading: await reader(), records };
      }

      const idsOf = (events: readonly string[]): string[] => events.map((line) => JSON.parse(line).id);
      const newest = (records: readonly AuditRecord[]): string[] => records.map(({ id }) => id).toReversed();

      it('gives all records, newest first', async (test) => {
        const { reading, records } = await filled(test);
        const page = await reading.page({ filter: {}, limit: 100 });
        assert.deepEqual([idsOf(page.events), page.next], [newest(records), null]);
      });

      for (const [field, value] of FIELDS) {
        it(`gives the records of one ${field}, and none for a value that is nowhere`, async (test) => {
          const { reading, records } = await filled(test);
          const matching = records.filter((record) => new Map(Object.entries(record)).get(field) === value);
          assert.equal(matching.length, 9);
          assert.deepEqual(idsOf(await walk(reading, { [field]: value })), newest(matching));
          assert.deepEqual(await walk(reading, { [field]: field === 'action' ? 'audit.find' : 'answered' }), []);
          const others = records.filter((record) => !matching.includes(record));
          const usual: unknown = new Map(Object.entries(others[0] ?? {})).get(field);
          assert.deepEqual(idsOf(await walk(reading, { [field]: String(usual) })), newest(others));
        });
      }

      it('gives the records of a time range, its end left out, and of several conditions', async (test) => {
        const { reading, records } = await filled(test);
        const range = { from: BASE + 100_000, to: BASE + 300_000 };
        assert.deepEqual(idsOf(await walk(reading, range)), newest(records.slice(10, 30)));
        const narrow = { ...range, database: 'billing', user: 'admin', outcome: 'failed' } as const;
        assert.deepEqual(
          idsOf(await walk(reading, narrow)),
          newest(records.filter((_, i) => i >= 10 && i < 30 && i % 7 === 3)),
        );
        assert.deepEqual(await walk(reading, { database: 'billing', user: 'app_rw' }), []);
        assert.deepEqual(await walk(reading, { from: BASE + 900_000 }), []);
        assert.deepEqual(await walk(reading, { from: BASE + 10, to: BASE + 10 }), []);
      });

      it('gives the record of a token fingerprint', async (test) => {
        const { reading, records } = await filled(test);
        const filter = { tokenFingerprint: records[20]?.tokenFingerprint ?? '', from: BASE, to: BASE + 600_000 };
        assert.deepEqual(idsOf(await walk(reading, filter)), [records[20]?.id]);
      });

      it('gives the records that name a grant in `observed`, wherever it stands, and none for a part of its name', async (test) => {
        const { log, reader } = await opened(test);
        const lists = [null, ['nights'], ['admins', 'nights'], ['no-nights'], ['nights', 'weekends'], ['","'], ['a"b']];
        const records = Array.from({ length: 35 }, (_, index) =>
          // Claims of that name are no grants.
          auditRecord({
            time: BASE + index * 1_000,
            claims: { observed: ['nights'] },
            observed: lists[index % 7] ?? null,
          }),
        );
        for (const record of records) await log.record(record);
        const reading = await reader();
        for (const name of ['nights', 'admins', 'no-nights', 'weekends', 'night', '","', 'a"b', 'x', '["nights"]']) {
          const matching = records.filter(({ observed }) => observed?.includes(name));
          assert.deepEqual(idsOf(await walk(reading, { observed: name })), newest(matching), name);
        }
        const narrow = { observed: 'nights', user: 'app_rw', outcome: 'issued', from: BASE + 10_000 } as const;
        const expected = records.filter(({ observed }, index) => index >= 10 && observed?.includes('nights'));
        assert.deepEqual(idsOf(await walk(reading, narrow)), newest(expected));
        assert.deepEqual(await walk(reading, { ...narrow, user: 'nobody' }), []);
      });

      it('walks pages without losing or repeating a record while new ones come', async (test) => {
        const { log, reading, records } = await filled(test);
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await reading.page({ filter: { issuer: 'cluster' }, limit: 7, cursor });
          found.push(...idsOf(page.events));
          cursor = page.next ?? undefined;
          await log.record(auditRecord({ time: BASE + 900_000 + found.length }));
        } while (cursor !== undefined);
        assert.deepEqual(found, newest(records.filter(({ issuer }) => issuer === 'cluster')));
      });

      it('refuses a cursor that it did not give', async (test) => {
        const { reading } = await filled(test);
        for (const cursor of ['', 'x', 'cz==', '../../etc/passwd', 'c'.repeat(5_000), "' OR 1=1 --"]) {
          await assert.rejects(reading.page({ filter: {}, limit: 1, cursor }), { name: 'UnknownCursor' }, cursor);
        }
      });

      it('gives one record by its id, and null for one that is nowhere', async (test) => {
        const { reading, records } = await filled(test);
        const record = records[30] ?? assert.fail();
        assert.deepEqual(withoutHashes((await reading.get(record.id)) ?? ''), asPublished(record, 'pod-1', 31));
        assert.equal(await reading.get(auditRecord({ time: record.time }).id), null);
      });

      it('gives the chain in the order of its numbers, each hash from the text and the one before', async (test) => {
        const { reading, records } = await filled(test);
        await reading.chains();
        const stored = await allRecords(reading, 'pod-1');
        assert.deepEqual(
          stored.map(({ sequence }) => sequence),
          records.map((_, index) => index + 1),
        );
        for (const [at, { canonical }] of stored.entries()) {
          const before = stored[at - 1]?.hash.toString('hex') ?? null;
          assert.equal(JSON.parse(canonical).previous_hash, before);
        }
      });
    });

    async function prepared(test: TestContext): Promise<EmptyStore & { readonly directory: string }> {
      return { ...(await prepare(test)), directory: testDirectory(test) };
    }

    async function opened(
      test: TestContext,
      options: { like?: Opened; events?: AuditEvents } & Partial<WriterSetup> = {},
    ): Promise<Opened> {
      const { like, events, ...changes } = options;
      const base = like ?? (await prepared(test));
      const log = await openAuditLog(auditSetup(base.store, base.directory, changes), events);
      test.after(() => log.close());
      const reader = async () => {
        const reading = await openReader(base.store);
        test.after(() => reading.close());
        return reading;
      };
      return { ...base, log, reader };
    }
  });
}

async function allRecords(reading: StoreReader, instance: string) {
  const chunks = [];
  for (let after = 0; ; ) {
    const chunk = await reading.records(instance, after, 700);
    if (chunk.length === 0) return chunks.flat();
    chunks.push(chunk);
    after = chunk.at(-1)?.sequence ?? 0;
  }
}

async function walk(reading: StoreReader, filter: AuditFilter): Promise<string[]> {
  const events: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await reading.page({ filter, limit: 5, cursor });
    events.push(...page.events);
    if (page.next === null) return events;
    cursor = page.next;
  }
}

function oddRecord(text: string): AuditRecord {
  const cut = text.toWellFormed().replaceAll('\0', '\ufffd');
  const all = {
    reason: cut,
    detail: cut,
    issuer: cut,
    subject: cut,
    database: cut,
    endpoint: cut,
    host: cut,
    region: cut,
  };
  const rest = {
    user: cut,
    resourceArn: cut,
    grant: cut,
    accessKeyId: cut,
    client: cut,
    clientAddress: cut,
    roleArn: cut,
  };
  return auditRecord({ ...all, ...rest, userAgent: cut, requestId: cut, claims: { odd: cut }, observed: [cut, 'x'] });
}
