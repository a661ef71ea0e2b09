// Source to source: every async function tells the runtime when it begins, waits, goes on and ends.
// The code is never moved and gets no new line, so stacks stay right without a map.

import type { SourceMap } from "magic-string";
import type { Node, Program } from "oxc-parser";

import { Edits } from "./edits.ts";
import { TransformError } from "./errors.ts";
import { optOutsOf } from "./opt-outs.ts";
import { type Language, languageOf, type ModuleFormat, parse } from "./parse.ts";
import { CALL_RULES } from "./rule-calls.ts";
import { CLEANUP_RULES } from "./rule-cleanup.ts";
import { ENTRY_RULES, MAIN_MODULE } from "./rule-entry.ts";
import { asyncNames, FUNCTION_RULES, ownFunctions } from "./rule-functions.ts";
import { WAIT_RULES } from "./rule-waits.ts";
import { SiteTableBuilder } from "./site-table.ts";
import { waits } from "./syntax.ts";
import { type Owner, type Rules, Walk } from "./walk.ts";
import { type Words, wordsFor } from "./words.ts";

export { TransformError };

/** What {@link transform} has to know of a file. */
export interface TransformOptions {
  /** Path or URL of the file, as people are to read it. */
  readonly id: string;
  /** The syntax; by default what the ending of `id` says. */
  readonly language?: Language;
  /** How the file is loaded. */
  readonly format: ModuleFormat;
  /** What a module imports `runtime` from. CommonJS finds it as `globalThis[Symbol.for("meanwhile.frames")]`. */
  readonly runtime: string;
  /** Whether CommonJS gets `runtime` by `require`, which bundlers follow; default false: it finds it as just said. */
  readonly requiresRuntime?: boolean;
  /** Whether to make a source map; default false: lines are right without. */
  readonly map?: boolean;
  /** Whether the program begins with this file although another one loads it: `import.meta.main` is true then, and `require.main` of all modules is this one. */
  readonly isEntry?: boolean;
  /** Whether functions and awaits are told to the runtime; default true. Without, only `isEntry` changes anything. */
  readonly awaits?: boolean;
}

/** An instrumented file. */
export interface Transformed {
  /** Its text. */
  readonly code: string;
  /** Only if it was asked for. */
  readonly map?: SourceMap;
}

/** In every instrumented file, and in the runtime: neither is edited. */
const MARK = "meanwhile.frames";
const RULES: Rules = { ...FUNCTION_RULES, ...WAIT_RULES, ...CLEANUP_RULES, ...CALL_RULES };

/**
 * Instruments the source text of one file. Types stay, lines stay, and a program that is not cancelled
 * does the same as before, but for the text of its functions.
 *
 * @returns null if there is nothing to change: no `async` or `await` in it, instrumented already, or `meanwhile:off file`
 * @throws {@link TransformError} `MW_ERR_TRANSFORM` if the source has a mistake in its syntax
 *
 * @example
 * ```ts
 * import { transform } from "@meanwhile/instrument";
 *
 * const source = "export const load = async (url) => (await fetch(url)).text();";
 * const result = transform(source, { id: "load.js", format: "module", runtime: "my-runtime" });
 * console.log(result?.code.split(";")[0]); //> import{runtime as __mw}from "my-runtime"
 * ```
 */
export function transform(code: string, options: TransformOptions): Transformed | null {
  const { id, format, map = false, isEntry = false, awaits = true } = options;
  const { language = languageOf(id) } = options;
  const isAsync = awaits && /\b(?:async|await)\b/.test(code);
  const hasMain = isEntry && (format === "commonjs" || code.includes("import.meta"));
  if (language === "dts" || code.includes(MARK) || !(isAsync || hasMain)) return null;
  const { program, comments } = parse(code, { id, language, format });
  const optOuts = optOutsOf(code, program.body[0]?.start ?? code.length, comments);
  if (optOuts === null) return null;
  const edits = new Edits();
  const sites = new SiteTableBuilder(code);
  const words = wordsFor(code);
  const module = moduleOwner(program, format, words);
  const rules = { ...(isAsync ? RULES : {}), ...(isEntry ? ENTRY_RULES : {}) };
  const walk = new Walk({ code, words, edits, sites, rules, optOuts, module, asyncNames: asyncNames(program.body) });
  const moduleSite = module.frame === undefined ? undefined : sites.addFunction("<module>", 0);
  visitOrRefuse(walk, program, id);
  const own = ownFunctions(program.body, walk.instrumented);
  for (const { name, from } of own) if (from > 0) edits.insert(from, `;${words.runtime}.o(${name});`);
  const hoisted = own.flatMap(({ name, from }) => (from === 0 ? [name] : []));
  if (!sites.isEmpty) {
    const frame = moduleSite === undefined ? "" : moduleFrame(moduleSite, words);
    const table = JSON.stringify(sites.build(id));
    const told = hoisted.length === 0 ? "" : `${words.runtime}.o(${hoisted.join(",")});`;
    insertHead(program, edits, reach(options, words) + told + frame);
    edits.appendLine(tableOf(table, words));
  }
  if (isEntry && format === "commonjs") insertHead(program, edits, MAIN_MODULE);
  if (edits.isEmpty) return null;
  return map ? edits.applyWithMap(code, id) : { code: edits.applyTo(code) };
}

/** Thousands of expressions in each other are nothing a program can wait in; what is left of the stack must do for others. */
function visitOrRefuse(walk: Walk, program: Program, id: string): void {
  try {
    walk.visitAll(program.body);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TransformError({ id, line: 1, column: 1 }, "its expressions are nested too deep");
  }
}

/** A module that waits has a frame, which can be named in all of it. */
function moduleOwner(program: Program, format: ModuleFormat, words: Words): Owner {
  const frame = format === "module" && waits(program) ? `${words.frame}0` : undefined;
  return {
    frame,
    visibleFrame: frame,
    frames: 0,
    isAsyncGenerator: false,
    isTopLevel: true,
    cleanupDepth: 0,
    jumpTargets: [],
  };
}

/** `var`, as functions of the module that name it may run before its first line does. `using`, as a module that throws leaves it too. */
function moduleFrame(site: number, words: Words): string {
  const frame = `${words.frame}0`;
  return `var ${frame}=${words.runtime}.e(${words.table}.functions[${site}]);using ${words.guard}0=${frame};`;
}

function reach({ format, runtime, requiresRuntime = false }: TransformOptions, words: Words): string {
  const from = JSON.stringify(runtime);
  if (format === "module") return `import{runtime as ${words.runtime}}from ${from};`;
  if (requiresRuntime) return `const{runtime:${words.runtime}}=require(${from});`;
  return `const ${words.runtime}=globalThis[Symbol.for("${MARK}")];`;
}

/**
 * Hoisted, both: with cyclic imports functions of a module run before its first line does.
 * On a line of its own behind all others, as the engine prints the line of an error.
 */
function tableOf(table: string, { sites, makeSites, runtime }: Words): string {
  return `var ${sites};function ${makeSites}(){return ${sites}??=${runtime}.file(${table})}`;
}

/** Before the first token, or after the directives, which have to stand first. */
function insertHead(program: Program, edits: Edits, head: string): void {
  const directive = program.body.findLast((statement) => "directive" in statement && statement.directive !== null);
  if (directive !== undefined) return edits.insertFirst(directive.end, `;${head}`);
  const [first] = program.body;
  if (first !== undefined) edits.insertFirst(startOf(first), head);
}

/** With the decorators that stand before the `export` of a class. */
function startOf(statement: Node): number {
  const declaration = "declaration" in statement ? statement.declaration : statement;
  const decorators = declaration && "decorators" in declaration ? declaration.decorators : undefined;
  return Math.min(statement.start, decorators?.[0]?.start ?? statement.start);
}
