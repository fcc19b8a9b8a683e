import { DatabaseSync } from 'node:sqlite';
import { describeSchema, migrate } from './schema.ts';

/** A table, index, view or trigger that is not there as the service makes it. */
type SchemaFault = {
  readonly type: string;
  readonly says: string;
  /** Whether the service makes one of this type and name. */
  readonly isOwn: boolean;
};

/** Compares everything in the schema with what the service makes. */
export function schemaFaults(db: DatabaseSync): SchemaFault[] {
  const expected = madeSchema();
  const present = describeSchema(db);
  const find = (all: typeof present, one: (typeof present)[number]) =>
    all.find(({ type, name }) => type === one.type && name === one.name);
  const changed = present.flatMap((each): SchemaFault[] => {
    const own = find(expected, each);
    const says = `the ${each.type} ${each.name} is not as the service makes it`;
    return own?.sql === each.sql ? [] : [{ type: each.type, says, isOwn: own !== undefined }];
  });
  const removed = expected.flatMap((each): SchemaFault[] => {
    const says = `the ${each.type} ${each.name} was removed`;
    return find(present, each) === undefined ? [{ type: each.type, says, isOwn: true }] : [];
  });
  return [...changed, ...removed];
}

/**
 * Throws for a trigger, and for a table of ours that was changed: they can take records away right after these were
 * reported durable. Other people's tables, indexes and views cannot.
 */
export function refuseUnsafeSchema(db: DatabaseSync): void {
  const unsafe = schemaFaults(db).find(({ type, isOwn }) => type === 'trigger' || (type === 'table' && isOwn));
  if (unsafe !== undefined) throw new Error(`${unsafe.says}: records could be lost`);
}

function madeSchema(): ReturnType<typeof describeSchema> {
  const made = new DatabaseSync(':memory:');
  try {
    migrate(made);
    return describeSchema(made);
  } finally {
    made.close();
  }
}
