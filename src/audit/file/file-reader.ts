import { join } from 'node:path';
import type { AuditStore } from '../audit-store.ts';
import type { StoreReader } from '../store.ts';
import { countRecords } from './count-records.ts';
import { findRecord } from './find-record.ts';
import { folderFaults } from './folder-faults.ts';
import { readPage } from './page.ts';
import { readChains, readCheckpoints, readRecords } from './read-chains.ts';
import { instancesIn, isInstanceName } from './record-files.ts';

/**
 * Opens a directory of record files to read it, also while instances write there. Nothing in it is changed, and no file
 * stays open between two calls.
 */
export async function openFileReader({ directory }: Extract<AuditStore, { type: 'file' }>): Promise<StoreReader> {
  instancesIn(directory);
  const records = inSteps(directory, readRecords, ({ sequence }) => sequence);
  const checkpoints = inSteps(directory, readCheckpoints, ({ size }) => size);
  return {
    async page(query) {
      return readPage(directory, query);
    },
    async get(id) {
      return findRecord(directory, id);
    },
    async chains() {
      return readChains(directory);
    },
    async records(instance, after, limit) {
      return records(instance, after, limit);
    },
    async checkpoints(instance, after, limit) {
      return checkpoints(instance, after, limit);
    },
    async count(instance, after, upTo) {
      return isInstanceName(instance) ? countRecords(join(directory, instance), after ?? 0, upTo) : 0;
    },
    async faults() {
      return folderFaults(directory);
    },
    async close() {
      // Nothing is open.
    },
  };
}

/** Reads on from where the last call for an instance ended, so that a whole chain is read once. */
function inSteps<Item>(
  directory: string,
  read: (folder: string, after: number) => Generator<Item, void>,
  positionOf: (item: Item) => number,
): (instance: string, after: number, limit: number) => Item[] {
  const places = new Map<string, { readonly after: number; readonly rest: Generator<Item, void> }>();

  function step(instance: string, rest: Generator<Item, void>, limit: number): Item[] {
    const items: Item[] = [];
    while (items.length < limit) {
      const { value } = rest.next();
      if (value === undefined) return items;
      items.push(value);
    }
    const last = items.at(-1);
    if (last !== undefined) places.set(instance, { after: positionOf(last), rest });
    return items;
  }

  return (instance, after, limit) => {
    if (!isInstanceName(instance)) return [];
    const place = places.get(instance);
    places.delete(instance);
    const items = place?.after === after ? step(instance, place.rest, limit) : [];
    // Where it ended there may be more by now.
    return items.length > 0 ? items : step(instance, read(join(directory, instance), after), limit);
  };
}
