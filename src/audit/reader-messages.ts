import type { AuditPage, AuditQuery } from '../issuance/audit-query.ts';
import type { AuditStore } from './audit-store.ts';

/** What the reading thread is told once, when it starts. */
export type ReaderSetup = { readonly store: AuditStore };

/** What is asked of the store. */
export type Question =
  | { readonly type: 'page'; readonly query: AuditQuery }
  | { readonly type: 'record'; readonly id: string };

export type ToReader =
  | {
      readonly type: 'ask';
      readonly number: number;
      /** After this nobody waits for the answer any more, milliseconds since the epoch. */
      readonly deadline: number;
      readonly question: Question;
    }
  | { readonly type: 'close' };

/** What became of one question. */
export type Reply =
  | { readonly type: 'page'; readonly page: AuditPage }
  | { readonly type: 'record'; readonly line: string | null }
  | { readonly type: 'unknown_cursor' }
  | { readonly type: 'failure'; readonly reason: string };

export type FromReader = { readonly number: number; readonly reply: Reply };
