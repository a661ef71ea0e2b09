// The module of the pool behind toThread: makes a function of its text and calls it.

import { readFileSync } from "node:fs";
import { constants, Script } from "node:vm";

import { FreeVariables, languageGlobalsIn } from "./free-variables.ts";
import type { FunctionSource } from "./function-source.ts";
import { standInsFor } from "./instrumented-text.ts";
import { helpersFor } from "./translated-text.ts";

// What the threads of toThread are for: that functions of theirs import modules is no news.
const emitWarning = process.emitWarning.bind(process) as (...warning: unknown[]) => void;
process.emitWarning = (...warning: unknown[]): void => {
  if (!String(warning[0]).includes("vm.USE_MAIN_CONTEXT_DEFAULT_LOADER")) emitWarning(...warning);
};

interface Compiled {
  readonly fn: (...args: unknown[]) => unknown;
  readonly free: FreeVariables;
}

const MOST_KEPT = 1_000;
const kept = new Map<string, Compiled>();

/** Calls the function of the text that comes last, with what comes before it. */
export async function callSource(...given: readonly unknown[]): Promise<unknown> {
  const args = given.slice(0, -1);
  const { fn, free } = compiled(given.at(-1) as FunctionSource);
  free.captured = null;
  try {
    return await fn(...args);
  } finally {
    // Though the function may have caught the error, and gone on without the variable.
    free.throwIfCaptured();
  }
}

function compiled(source: FunctionSource): Compiled {
  const key = `${source.file}\n${source.text}`;
  let found = kept.get(key);
  if (found !== undefined) return found;
  // A program that makes texts up again and again must not fill the memory.
  if (kept.size >= MOST_KEPT) kept.clear();
  found = compile(source);
  kept.set(key, found);
  return found;
}

/** Strict as in a module, and with a `this` of its own, which is undefined. */
const opening = (names: readonly string[]): string =>
  `(function(__mwv){with(__mwv){return function(${names.join()}){"use strict";return(`;
const AFTER = "\n)}}})";

type Make = (scope: object) => (this: undefined, ...values: unknown[]) => Compiled["fn"];

function compile({ text, name, file }: FunctionSource): Compiled {
  const place = file === "" ? null : placeIn(file, text);
  const around = { ...globalsOf(text), ...standInsFor(text), ...helpersFor(text, file) };
  const head = opening(Object.keys(around));
  const script = new Script(head + text + AFTER, {
    // Stacks tell the line of the file if that is known, else the line of the function.
    filename: place === null ? `${file}#toThread` : file,
    lineOffset: place?.line ?? 0,
    columnOffset: (place?.column ?? 0) - head.length,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const free = new FreeVariables(name, text);
  const make = (script.runInThisContext() as Make)(free.scope);
  return { fn: make.call(undefined, ...Object.values(around)), free };
}

function globalsOf(text: string): Record<string, unknown> {
  return Object.fromEntries(languageGlobalsIn(text).map((name) => [name, Reflect.get(globalThis, name) as unknown]));
}

/** Where in the file the text stands, if that is clear. */
function placeIn(file: string, text: string): { readonly line: number; readonly column: number } | null {
  const whole = contentOf(file);
  const start = whole === null ? -1 : findStripped(whole, text, 0);
  if (whole === null || start === -1 || findStripped(whole, text, start + 1) !== -1) return null;
  const before = whole.slice(0, start).split("\n");
  return { line: before.length - 1, column: before.at(-1)?.length ?? 0 };
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(new URL(file), "utf8");
  } catch {
    return null; // no file of this machine: there is only the text
  }
}

/** Where `text` begins in `whole`, of which it is a part but that spaces may stand where types were. */
function findStripped(whole: string, text: string, from: number): number {
  const first = text[0] ?? "";
  for (let at = whole.indexOf(first, from); at !== -1; at = whole.indexOf(first, at + 1)) {
    if (standsAt(whole, text, at)) return at;
  }
  return -1;
}

function standsAt(whole: string, text: string, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== whole[at + i] && text[i] !== " ") return false;
  }
  return true;
}
