export async function measurePages(_records: number): Promise<void> {
  await Promise.resolve();
}
