import { DatabaseSync } from 'node:sqlite';
import { describeSchema, migrate, SEEDED } from './schema.ts';

/** So many are told. */
const MOST = 20;

/**
 * What in a store could hide records from those who ask for them: tables, indexes, views and triggers that are not those
 * that the service makes, indexes that lack rows, texts that the indexes name by number. Reads the whole store.
 */
export function storeFaults(db: DatabaseSync): string[] {
  return [...schemaFaults(db), ...textFaults(db), ...integrityFaults(db)].slice(0, MOST);
}

function schemaFaults(db: DatabaseSync): string[] {
  const made = new DatabaseSync(':memory:');
  migrate(made);
  const expected = describeSchema(made);
  made.close();
  const present = describeSchema(db);
  const nameOf = (description: string) => description.split(' ').slice(0, 2).join(' ');
  return [
    ...present
      .filter((each) => !expected.includes(each))
      .map((each) => `the ${nameOf(each)} is not as the service makes it`),
    ...expected
      .filter((each) => !present.map(nameOf).includes(nameOf(each)))
      .map((each) => `the ${nameOf(each)} was removed`),
  ];
}

function textFaults(db: DatabaseSync): string[] {
  const select = db.prepare('SELECT text FROM audit_texts WHERE id = ?');
  return Object.entries(SEEDED).flatMap(([text, id]) =>
    select.get(id)?.['text'] === text
      ? []
      : [`text ${id} is not ${JSON.stringify(text)}: records are looked for by it`],
  );
}

function integrityFaults(db: DatabaseSync): string[] {
  const rows = db.prepare(`PRAGMA integrity_check(${MOST})`).all();
  const says = rows.map((row) => String(Object.values(row)[0]));
  return says.filter((each) => each !== 'ok').map((each) => `SQLite says: ${each}`);
}
