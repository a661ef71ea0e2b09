// A runtime that does nothing but check how it is called, and both ways to run a program: as it is and transformed.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { compileFunction } from "node:vm";

import { transform, type TransformOptions } from "../../src/index.ts";

interface Table {
  readonly functions: ReadonlyArray<readonly [string, number, number]>;
  readonly waits: ReadonlyArray<readonly [number, number, string, string]>;
}

interface Frame extends Disposable {
  c: number;
  isOpen: boolean;
  readonly table: Table;
}

/** What instrumented code calls. Throws where it is called out of turn, which no program expects. */
export function passThroughRuntime(): object {
  const tables = new Map<unknown, Table>();
  const check = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`Out of turn: ${what}`);
  };
  const open = (frame: Frame, hook: string): void => check(frame.isOpen, `${hook} of a frame that was left`);
  const wait = (frame: Frame, index: number, ...kinds: string[]): void => {
    open(frame, kinds.join());
    const kind = frame.table.waits[index]?.[2] ?? "none";
    check(kinds.includes(kind), `site ${index} is of the kind "${kind}", not "${kinds.join()}"`);
  };
  const after =
    (hook: string) =>
    <Value>(frame: Frame, value: Value): Value => {
      open(frame, hook);
      return value;
    };
  const before =
    (...kinds: string[]) =>
    <Value>(frame: Frame, index: number, value: Value): Value => {
      wait(frame, index, ...kinds);
      return value;
    };
  const runtime = {
    file(table: Table): Table {
      for (const site of table.functions) tables.set(site, table);
      return table;
    },
    e(site: unknown, parent?: Frame): Frame {
      const table = tables.get(site);
      if (table === undefined) throw new Error("Out of turn: e without a site");
      check(parent === undefined || parent.c === 0 || parent.c === 1, "a parent that is no frame");
      const leave = (): void => runtime.x(frame);
      const frame: Frame = { c: 0, isOpen: true, table, [Symbol.dispose]: leave };
      return frame;
    },
    x(frame: Frame): void {
      open(frame, "x");
      frame.isOpen = false;
    },
    a: before("await"),
    k: (frame: Frame, site: number, called: unknown, value: unknown): unknown => {
      check(typeof called === "function", "a call of what is no function");
      return before("await")(frame, site, value);
    },
    o: (...functions: readonly unknown[]): void => {
      for (const one of functions) check(typeof one === "function", "a function of the file that is none");
    },
    r: after("r"),
    c: after("c"),
    c2: after("c2"),
    it: before("for await"),
    z: before("yield"),
    d: before("yield"),
    y: after("y"),
    q: after("q"),
    l: after("l"),
    u: (frame: Frame) => ({ frame, [Symbol.dispose]: (): void => open(frame, "u") }),
    v: ({ frame }: { frame: Frame }): Disposable => ({ [Symbol.dispose]: () => open(frame, "v") }),
    s<Value>(value: Value, name: string, site: Table["waits"][number]): Value {
      check(site[2] === "call" && site[3].includes(name), `s of ${name}`);
      return value;
    },
    t<Value>(value: Value, name: string, site: Table["waits"][number]): Value {
      check(site[2] === "call" && site[3].includes(name), `t of ${name}`);
      return value;
    },
  };
  return runtime;
}

Reflect.set(globalThis, Symbol.for("meanwhile.frames"), passThroughRuntime());

/** What programs of the tests are given. */
class Observer {
  readonly seen: string[] = [];

  readonly log = (...values: unknown[]): void => {
    this.seen.push(values.map((value) => inspect(value, { depth: 4 })).join(" "));
  };

  async ending(outcome: () => unknown): Promise<string[]> {
    try {
      this.log("value", await outcome());
    } catch (error) {
      this.log("error", error instanceof Error ? `${error.name}: ${error.message}` : error);
    }
    return this.seen;
  }
}

const later = <Value>(value: Value): Promise<Value> => Promise.resolve().then(() => value);
const fail = (message: string): Promise<never> => Promise.reject(new Error(message));
/** The line of the program this is called in. */
const line = (): string => /(?:program|\/f)\.\w+:(\d+)/.exec(new Error().stack ?? "")?.[1] ?? "not in the program";
const GIVEN = { later, fail, line };

const RUNTIME = `data:text/javascript,${encodeURIComponent('export const runtime = globalThis[Symbol.for("meanwhile.frames")];')}`;

export function transformed(code: string, options: Partial<TransformOptions> = {}): string {
  return transform(code, { id: "program.js", format: "module", runtime: RUNTIME, ...options })?.code ?? code;
}

/** Runs the body of a script, which may return something to wait for; what it logged and how it ended. */
export async function runScript(code: string): Promise<string[]> {
  const observer = new Observer();
  return observer.ending(() => {
    const given = { ...GIVEN, log: observer.log };
    return compileFunction(code, Object.keys(given), { filename: "program.js" })(...Object.values(given));
  });
}

/** Runs `program.…` among these files, all transformed or none. */
export async function runFiles(files: Readonly<Record<string, string>>, isTransformed: boolean): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "meanwhile-transform-"));
  try {
    for (const [name, code] of Object.entries(files)) {
      const format = name.includes(".c") ? "commonjs" : "module";
      writeFileSync(join(folder, name), isTransformed ? transformed(code, { id: name, format }) : code);
    }
    const observer = new Observer();
    Object.assign(globalThis, GIVEN, { log: observer.log });
    const main = Object.keys(files).find((name) => name.startsWith("program.")) ?? "";
    return await observer.ending(async () => ({ ...(await import(pathToFileURL(join(folder, main)).href)) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
