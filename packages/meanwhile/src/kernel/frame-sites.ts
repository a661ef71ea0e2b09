// Where instrumented functions stand in their files, and where they wait.

/** A table as the code of an instrumented file gives it. */
export interface SiteTable {
  /** The file, as people know it. */
  readonly id: string;
  /** Name, line and column of each instrumented function. */
  readonly functions: ReadonlyArray<readonly [name: string, line: number, column: number]>;
  /** Line, column, kind and text of each wait. */
  readonly waits: ReadonlyArray<readonly [line: number, column: number, kind: WaitKind, text: string]>;
}

/** What makes the code wait there; a `call` is one whose promise is dropped. */
type WaitKind = "await" | "for await" | "yield" | "call";

/** An instrumented file. */
export interface FileSites {
  /** The file, as people know it. */
  readonly id: string;
  /** Its functions, in the order of the table. */
  readonly functions: readonly FunctionSite[];
  /** Its waits, in the order of the table. */
  readonly waits: readonly WaitSite[];
}

/** An instrumented function. */
export interface FunctionSite {
  /** The file it stands in. */
  readonly file: FileSites;
  /** Its name, as errors have it. */
  readonly name: string;
  /** Line of its beginning, from 1. */
  readonly line: number;
  /** Column of its beginning, from 1. */
  readonly column: number;
}

/** A place where an instrumented function waits. */
export interface WaitSite {
  /** The file it stands in. */
  readonly file: FileSites;
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** What makes it wait. */
  readonly kind: WaitKind;
  /** The source of what is awaited, shortened. */
  readonly text: string;
}

/** Reads the table of a file. */
export function sitesOf({ id, functions, waits }: SiteTable): FileSites {
  const file = { id, functions: [] as FunctionSite[], waits: [] as WaitSite[] };
  // By index: the lists are the program's, which may have changed how its lists are iterated.
  for (let i = 0; i < functions.length; i++) {
    const { 0: name, 1: line, 2: column } = functions[i] as SiteTable["functions"][number];
    file.functions.push({ file, name, line, column });
  }
  for (let i = 0; i < waits.length; i++) {
    const { 0: line, 1: column, 2: kind, 3: text } = waits[i] as SiteTable["waits"][number];
    file.waits.push({ file, line, column, kind, text });
  }
  return file;
}

/** A place for people: `file:line:column`. */
export function placeOf({ file, line, column }: FunctionSite | WaitSite): string {
  return `${file.id}:${line}:${column}`;
}
