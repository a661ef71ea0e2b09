// The variables that the text of a function uses without declaring them, where it is compiled alone.
//
// The text is compiled inside of `with (free)`, so each of them that is no global comes to the Proxy `free`, be it read,
// written or asked for its type; an error of the engine could be caught by the function, and `typeof` gives none. What is found
// that way is slow. So the globals of the language that the text names are parameters in between: no lookup of them gets there.

import { createContext, runInContext } from "node:vm";

import { show } from "../util/show.ts";
import { WorkerError } from "./errors.ts";
import { describeVariable } from "./translated-text.ts";

/** Names by which code asks what its host has. Where a text asks for the type of one, it is answered. */
const OF_HOSTS: ReadonlySet<string> = new Set(
  `window document self Bun Deno EdgeRuntime importScripts WorkerGlobalScope define module exports require Temporal Worker
  SharedWorker HTMLElement XMLHttpRequest OffscreenCanvas`.split(/\s+/),
);

/** Neither can be the name of a parameter. */
const NO_PARAMETERS: ReadonlySet<string> = new Set(["eval", "arguments"]);

let ofLanguage: ReadonlySet<string> | null = null;

/** The globals of the language that a text names, which are the same for ever. */
export function languageGlobalsIn(text: string): string[] {
  ofLanguage ??= new Set(runInContext("Object.getOwnPropertyNames(globalThis)", createContext()) as string[]);
  const names = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  return [...names].filter((name) => ofLanguage?.has(name) && !NO_PARAMETERS.has(name) && name in globalThis);
}

/** The variables around one function. */
export class FreeVariables {
  /** The first use of one that is there no more; null if there was none. */
  captured: WorkerError | null = null;
  /** What stands in the `with` around the text. */
  readonly scope: object;
  readonly #what: string;
  readonly #text: string;

  /** @param name - of the function, for the error */
  constructor(name: string, text: string) {
    this.#what = name === "" ? "the function" : show(name);
    this.#text = text;
    this.scope = new Proxy(Object.create(null) as object, {
      has: (_target, key) => !(key in globalThis) && !this.#isQuestion(String(key)),
      get: (_target, key) => (typeof key === "symbol" ? undefined : this.#refuse(key)),
      set: (_target, key) => this.#refuse(String(key)),
    });
  }

  /** Throws {@link captured}. */
  throwIfCaptured(): void {
    if (this.captured !== null) throw this.captured;
  }

  #isQuestion(name: string): boolean {
    return OF_HOSTS.has(name) && new RegExp(`typeof\\s+${name}\\b`).test(this.#text);
  }

  #refuse(name: string): never {
    const error = new WorkerError(
      "MW_ERR_WORKER_CAPTURED",
      `Cannot run ${this.#what} in a thread: it uses ${describeVariable(name)}, or put the function into a module and call it with a WorkerPool`,
    );
    this.captured ??= error;
    throw error;
  }
}
