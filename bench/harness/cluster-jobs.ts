// What the workers of the cluster rows run.

/** The least a job can do. */
export function increment(value: number): number {
  return value + 1;
}
