import { createHash, generateKeyPairSync } from 'node:crypto';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { createCheckpointSigner } from '../../src/audit/chain/checkpoint.ts';
import { createStore } from '../../src/audit/open-store.ts';
import { type RecordRow, rowOf } from '../../src/audit/record-row.ts';
import { createWriter, type Writer } from '../../src/audit/writer.ts';
import { newAuditId } from '../../src/issuance/audit-id.ts';
import { type AuditRecord, beginAuditRecord } from '../../src/issuance/audit-record.ts';

const DAY = 86_400_000;
export const FIRST_TIME = Date.UTC(2026, 0, 1);
/** The records are spread evenly over so many milliseconds. */
export const TIME_SPAN = 60 * DAY;
export const RARE = { user: 'admin', records: 20 };

const BATCH = 500;
/** A store that is slow for a moment on a busy machine is asked again. */
const TRIES = 20;

/** Fills an empty store through the product's own writer. */
export async function fillStore(store: AuditStore, records: number): Promise<void> {
  const opened = await createStore(store, 'pod-1');
  const writer = createWriter({
    store: opened,
    instance: 'pod-1',
    signer: createCheckpointSigner('rds-token-vendor/pod-1', generateKeyPairSync('ed25519').privateKey),
    diskReserve: 0,
    now: Date.now,
    onCheckpoint: () => {},
    onCopies: null,
  });
  await writer.open(true);
  for (let written = 0; written < records; written += BATCH) {
    const size = Math.min(BATCH, records - written);
    const rows = Array.from({ length: size }, (_, index) => rowOf(benchRecord(written + index, records)));
    await writeRows(writer, rows);
  }
  await writer.close();
}

async function writeRows(writer: Writer, rows: readonly RecordRow[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const [answer] = await writer.write([{ id: 1, deadline: Number.POSITIVE_INFINITY, rows }]);
    if (answer?.failure == null) return;
    if (tries === TRIES) throw new Error(answer.failure);
  }
}

const DATABASES = ['orders', 'billing', 'stock', 'users', 'search'];
const ISSUERS = ['cluster', 'cluster', 'cluster', 'corp', 'github'];

/** Records differ as those of 500 callers, 200 users, 5 databases, 20 grants and 1,000 pods do. */
function benchRecord(index: number, records: number): AuditRecord {
  const time = FIRST_TIME + Math.floor((index / records) * TIME_SPAN);
  const digest = createHash('sha256').update(String(index)).digest('hex');
  const [a = 0, b = 0, c = 0, d = 0] = [0, 4, 8, 12].map((at) => Number.parseInt(digest.slice(at, at + 4), 16));
  const isRare = index % Math.floor(records / RARE.records) === 7;
  const database = DATABASES[a % 5] ?? '';
  const user = isRare ? RARE.user : `app_${c % 200}`;
  const outcome = b % 1_000 === 0 ? 'failed' : b % 50 === 1 ? 'refused' : 'issued';
  const host = `${database}.cluster-abc123.us-west-2.rds.amazonaws.com`;
  return {
    ...beginAuditRecord(newAuditId(time), time, 'c'.repeat(64), {
      action: 'token.issue',
      clientAddress: `10.0.${a % 4}.${d % 250}`,
      userAgent: ['curl/8.14.1', 'python-httpx/0.28', 'Go-http-client/1.1'][d % 3] ?? '',
      requestId: `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20, 32)}`,
      traceId: null,
    }),
    outcome,
    reason: outcome === 'refused' ? 'not_granted' : outcome === 'failed' ? 'credentials_unavailable' : null,
    issuer: ISSUERS[Math.floor(c / 200) % 5] ?? '',
    subject: `system:serviceaccount:payments:api-${d % 500}`,
    jtiHash: digest,
    database,
    endpoint: d % 3 === 0 ? 'reader' : 'writer',
    host,
    port: 5432,
    region: 'us-west-2',
    user,
    resourceArn: `arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/${user}`,
    grant: `grant-${d % 20}`,
    // A grant that is tried out concerns few requests.
    observed: b % 500 === 2 ? [`watched-${d % 3}`] : null,
    tokenFingerprint: createHash('sha256').update(digest).digest('hex'),
    tokenExpiresAt: time + 900_000,
    accessKeyId: `ASIA${Math.floor(time / 3_600_000)}EXAMPLE`,
    client: 'psql',
  };
}
