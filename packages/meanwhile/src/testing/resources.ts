// What keeps the process alive, as far as the host can tell.

/** The resources by kind, one entry for each; null on hosts that cannot tell. Bun has the function, which lists nothing. */
export function activeResources(): readonly string[] | null {
  if (process.versions["bun"] !== undefined) return null;
  return process.getActiveResourcesInfo();
}

/** Those of `now` that are more than there were `before`. */
export function resourcesBeyond(now: readonly string[], before: readonly string[]): string[] {
  const left = [...before];
  return now.filter((kind) => {
    const index = left.indexOf(kind);
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
}
