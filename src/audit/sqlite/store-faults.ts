import type { DatabaseSync } from 'node:sqlite';
import { readChains } from './chains.ts';
import { createInstanceNumbers, misnamedInstances } from './instances.ts';
import { SEEDED } from './schema.ts';
import { schemaFaults } from './schema-faults.ts';

/** So many are told. */
const MOST = 20;

/**
 * What in a store could hide records from those who ask for them, or show them some that are in no chain: tables, indexes,
 * views and triggers that are not those that the service makes, indexes that lack rows, texts that the indexes name by
 * number, instances by a name that leads elsewhere. Reads the whole store. Inside of a transaction.
 */
export function storeFaults(db: DatabaseSync): string[] {
  const faults = [
    ...schemaFaults(db).map(({ says }) => says),
    ...textFaults(db),
    ...instanceFaults(db),
    ...strayRecords(db),
    ...integrityFaults(db),
  ];
  return faults.slice(0, MOST);
}

function textFaults(db: DatabaseSync): string[] {
  const select = db.prepare('SELECT 1 FROM audit_texts WHERE id = ? AND CAST(text AS BLOB) = ?');
  return Object.entries(SEEDED).flatMap(([text, id]) =>
    select.get(id, Buffer.from(text)) === undefined
      ? [`text ${id} is not ${JSON.stringify(text)}: records are looked for by it`]
      : [],
  );
}

function instanceFaults(db: DatabaseSync): string[] {
  return misnamedInstances(db).map((number) => `the instance ${number} has a name that no instance can have`);
}

/** Chains are read by their names: whichever way a name led elsewhere, the records there would be read by nobody. */
function strayRecords(db: DatabaseSync): string[] {
  const numberOf = createInstanceNumbers(db);
  const numbers = new Set(readChains(db).map(({ instance }) => numberOf(instance)));
  const inChain = db.prepare('SELECT count(*) AS records FROM audit_records WHERE instance = ?');
  const inChains = [...numbers].reduce((sum: number, number) => sum + Number(inChain.get(number)?.['records']), 0);
  const all = Number(db.prepare('SELECT count(*) AS records FROM audit_records').get()?.['records']);
  return all === inChains ? [] : [`${all} records are shown to those who ask, and ${inChains} are in chains`];
}

function integrityFaults(db: DatabaseSync): string[] {
  const rows = db.prepare(`PRAGMA integrity_check(${MOST})`).all();
  const says = rows.map((row) => String(Object.values(row)[0]));
  return says.filter((each) => each !== 'ok').map((each) => `SQLite says: ${each}`);
}
