import type { DatabaseSync } from 'node:sqlite';
import { instanceName } from '../../config/values.ts';

/**
 * The name under which the chain of an instance number is known, one to one. A row that is gone, or whose name is none that
 * an instance can have, gives a name with a tilde, which no instance can have either: a row that is called as another
 * number's chain is would keep everybody from reading that chain.
 *
 * @param name its bytes: as text, what is no UTF-8 reads as another name.
 */
export function chainName(number: number, name: unknown): string {
  const text = name instanceof Uint8Array ? Buffer.from(name).toString('latin1') : '';
  return instanceName.safeParse(text).success ? text : `unnamed~${number}`;
}

/** Finds the number of such a name; null when there is none. */
export function createInstanceNumbers(db: DatabaseSync): (name: string) => number | null {
  const byName = db.prepare('SELECT instance FROM audit_instances WHERE name = ?');
  return (name) => {
    const [, digits] = /^unnamed~(-?\d{1,16})$/.exec(name) ?? [];
    const number: unknown = digits === undefined ? byName.get(name)?.['instance'] : Number(digits);
    return typeof number === 'number' ? number : null;
  };
}

/** The numbers of rows whose names no instance can have. */
export function misnamedInstances(db: DatabaseSync): number[] {
  const rows = db.prepare('SELECT instance, CAST(name AS BLOB) AS name FROM audit_instances').all();
  return rows.flatMap(({ instance, name }) => {
    const number = Number(instance);
    return chainName(number, name) === chainName(number, null) ? [number] : [];
  });
}
