import type { JsonValue } from '../../issuance/caller.ts';
import { doubt, type Scope, spend } from './scope.ts';

/*
 * What CEL's operators do with the values of JSON. Integers and decimals are one kind of number, because JSON does not
 * tell them apart. Only own members of a map exist: `claims.constructor` is a claim or nothing.
 */

type Told = boolean | undefined;

/** A member of a map by its name, or of a list by its position. */
export function memberOf(holder: JsonValue, key: JsonValue): JsonValue | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  if (Array.isArray(holder)) return typeof key === 'number' ? holder[key] : undefined;
  return typeof key === 'string' && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

/** Deeper values are not compared: each level is a call in a call. */
const DEEPEST = 64;

/** Values of different kinds are different, which is no doubt. */
export function equals(one: JsonValue, other: JsonValue, scope: Scope, depth = 0): Told {
  spend(scope, 1);
  if (depth > DEEPEST) return doubt(scope, 'a value is too deep to compare');
  if (typeof one === 'number' && typeof other === 'number') {
    return isExact(one) && isExact(other) ? one === other : doubt(scope, 'a number is too large to be exact');
  }
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return every(one.keys(), (at) => both(one[at], other[at], scope, depth + 1));
  }
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return every(names, (name) => (Object.hasOwn(other, name) ? both(one[name], other[name], scope, depth + 1) : false));
}

function both(one: JsonValue | undefined, other: JsonValue | undefined, scope: Scope, depth: number): Told {
  return one === undefined || other === undefined ? undefined : equals(one, other, scope, depth);
}

/** `JSON.parse` has rounded what is larger: two ids that differ could look alike. */
function isExact(number: number): boolean {
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER;
}

/** Negative, zero or positive; undefined for values that have no order. Texts are in the order of their code points. */
export function compare(one: JsonValue, other: JsonValue, scope: Scope): number | undefined {
  spend(scope, 1);
  if (typeof one === 'number' && typeof other === 'number') {
    return isExact(one) && isExact(other) ? one - other : doubt(scope, 'a number is too large to be exact');
  }
  if (typeof one === 'boolean' && typeof other === 'boolean') return Number(one) - Number(other);
  if (typeof one !== 'string' || typeof other !== 'string') return undefined;
  spend(scope, one.length + other.length);
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Whether a list has an item, or a map a name; undefined for a holder that is neither. */
export function isIn(wanted: JsonValue, holder: JsonValue, scope: Scope): Told {
  if (typeof holder !== 'object' || holder === null) return undefined;
  if (Array.isArray(holder)) return some(holder, (item) => equals(wanted, item, scope));
  return typeof wanted === 'string' && Object.hasOwn(holder, wanted);
}

/** Code points of a text, items of a list, names of a map. */
export function sizeOf(value: JsonValue, scope: Scope): number | undefined {
  if (typeof value === 'string') {
    spend(scope, value.length);
    return Array.from(value).length;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** True of one is true, whatever is in doubt about others; else a doubt is a doubt. */
export function some<Item>(items: Iterable<Item>, test: (item: Item) => Told): Told {
  let told: Told = false;
  for (const item of items) {
    const one = test(item);
    if (one === true) return true;
    if (one === undefined) told = undefined;
  }
  return told;
}

/** False of one is false, whatever is in doubt about others. */
export function every<Item>(items: Iterable<Item>, test: (item: Item) => Told): Told {
  let told: Told = true;
  for (const item of items) {
    const one = test(item);
    if (one === false) return false;
    if (one === undefined) told = undefined;
  }
  return told;
}
