import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFaultLog } from '../../src/app/fault-log.ts';
import { Fault, type FaultCode } from '../../src/issuance/fault.ts';
import { createLogger } from '../../src/logger.ts';

function logging() {
  const clock = { now: 1_000_000 };
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) });
  const log = createFaultLog(logger, () => clock.now);
  const fail = (code: FaultCode, id = 'id') => log({ kind: 'failed', auditId: id, fault: new Fault(code, 'why') });
  return { clock, lines, log, fail };
}

test('a fault is logged with its code, its cause and the id of its record; nothing else is', () => {
  const { lines, log, fail } = logging();
  fail('signing_failed', 'id-7');
  log({ kind: 'decided', auditId: 'x', value: 1 });
  log({ kind: 'refused', auditId: 'x', refusal: { reason: 'not_granted', detail: '' } });
  assert.deepEqual(
    lines.map(({ level, audit_id, code, msg }) => [level, audit_id, code, msg]),
    [['error', 'id-7', 'signing_failed', 'a decision failed']],
  );
  assert.match(JSON.stringify(lines[0]), /"message":"why"/);
});

test('of a flood the first ten of a second are logged, each code by itself, and then how many there were more', () => {
  const { clock, lines, fail } = logging();
  for (let n = 0; n < 1000; n++) fail('issuer_keys_unavailable');
  fail('signing_failed');
  assert.equal(lines.length, 11);
  clock.now += 999;
  fail('issuer_keys_unavailable');
  assert.equal(lines.length, 11);
  clock.now += 1;
  fail('issuer_keys_unavailable');
  assert.deepEqual(
    lines.slice(11).map(({ code, omitted, msg }) => [code, omitted, msg]),
    [
      ['issuer_keys_unavailable', 991, 'more decisions failed'],
      ['issuer_keys_unavailable', undefined, 'a decision failed'],
    ],
  );
  clock.now += 1000;
  fail('signing_failed');
  assert.equal(lines.length, 14);
});

test('a clock that is put back holds no line back', () => {
  const { clock, lines, fail } = logging();
  for (let n = 0; n < 12; n++) fail('internal');
  clock.now -= 60_000;
  fail('internal');
  assert.equal(lines.at(-1)?.['msg'], 'a decision failed');
});

test('after the last fault of a flood too it is told how many there were more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, fail } = logging();
  for (let n = 0; n < 12; n++) fail('internal');
  assert.equal(lines.length, 10);
  t.mock.timers.tick(1000);
  assert.deepEqual([lines.at(-1)?.['omitted'], lines.length], [2, 11]);
  t.mock.timers.tick(10_000);
  assert.equal(lines.length, 11);
});
