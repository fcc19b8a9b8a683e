/** Each later occurrence of a value, with the index of its first. null values are not compared. */
export function duplicates(
  values: readonly (string | null)[],
): { readonly index: number; readonly first: number; readonly value: string }[] {
  const firsts = new Map<string, number>();
  return values.flatMap((value, index) => {
    if (value === null) return [];
    const first = firsts.get(value);
    if (first !== undefined) return [{ index, first, value }];
    firsts.set(value, index);
    return [];
  });
}
