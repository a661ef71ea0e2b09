// The text of a function that a tool has translated may call helpers that the tool has put around it. Those that only stand for
// what the source says have stand-ins in a thread; of the others the error tells where they come from.

import { constants, Script } from "node:vm";

type Helper = (...args: never[]) => unknown;

/** Of esbuild, and so of tsx: gives functions and classes the names that they have in the source. */
function keepName(target: object, value: string): object {
  return Object.defineProperty(target, "name", { value, configurable: true });
}

/** Counters of a coverage that Istanbul takes: they are counted for nobody. */
const COUNTERS: Helper = new Proxy(() => COUNTERS, {
  get: (_target, key) => (key === Symbol.toPrimitive ? () => 0 : COUNTERS),
  set: () => true,
});

/** `import()` as in the file; Vite, and so Vitest, puts a function of its own in its place. */
function importIn(file: string): Helper {
  const script = new Script("(specifier, options) => import(specifier, options)", {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Helper;
}

/** The helpers that the text names and that have stand-ins, by name. */
export function helpersFor(text: string, file: string): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  if (/\b__name\b/.test(text)) found["__name"] = keepName;
  if (/\b__vite_ssr_dynamic_import__\b/.test(text)) found["__vite_ssr_dynamic_import__"] = importIn(file);
  for (const [counter] of text.matchAll(/\bcov_[a-z\d]+(?=\(\))/g)) found[counter] = COUNTERS;
  return found;
}

/** Whether the text uses `import.meta`, as Vite writes it. */
export function usesImportMeta(text: string): boolean {
  return /\b__vite_ssr_import_meta__\b/.test(text);
}

/** What is said of a variable that the text uses and does not have. */
export function describeVariable(name: string): string {
  if (/^__vi\w*_import_\d+__$/.test(name)) {
    return `an import of its file (${name}, as Vite calls it), which is not part of it; import it inside with await import()`;
  }
  if (/^__[a-z]/i.test(name)) {
    return `"${name}", a helper of the tool that has translated it, which is not part of it; have it translated for the Node that runs it`;
  }
  return `"${name}", which is not part of it; pass it as an argument`;
}
