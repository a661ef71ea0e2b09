// The names the generated code uses. A source that has them already gets others.

/** How the generated code calls the runtime, the tables, and the frames. */
export interface Words {
  /** The runtime. */
  readonly runtime: string;
  /** The variable with the site table. */
  readonly sites: string;
  /** The function that makes the site table. */
  readonly makeSites: string;
  /** An expression: the site table, made if it was not yet. */
  readonly table: string;
  /** Before the number of a frame. */
  readonly frame: string;
  /** Before the number of a guard of `await using`. */
  readonly guard: string;
}

export function wordsFor(code: string): Words {
  let runtime = "__mw";
  for (let count = 1; code.includes(runtime); count += 1) runtime = `__mw${count}_`;
  return {
    runtime,
    sites: `${runtime}s`,
    makeSites: `${runtime}t`,
    table: `(${runtime}s??${runtime}t())`,
    frame: `${runtime}f`,
    guard: `${runtime}g`,
  };
}
