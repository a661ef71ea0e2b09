// Sets of HTTP statuses, as `--ok 200-299,404` says them.

/** A set of statuses. */
export interface StatusSet {
  has(status: number): boolean;
}

const PART = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/;

/** `"200-299,404"` as a set; undefined for what is none. */
export function parseStatuses(text: string): StatusSet | undefined {
  const statuses = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = PART.exec(part.trim()) ?? [];
    if (first === undefined || Number(last) < Number(first)) return undefined;
    for (let status = Number(first); status <= Number(last); status++) statuses.add(status);
  }
  return statuses;
}
