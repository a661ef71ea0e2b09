// What the checks share: parsed source files, a walk over their syntax, their imports, and one way to report and fail.

import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import { type Node, parseSync, type ParseResult, visitorKeys } from "oxc-parser";

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly parsed: ParseResult;
}

export interface Import {
  /** The file it names, relative to the root, for "./…"; the specifier as written otherwise. */
  readonly target: string;
  readonly isRelative: boolean;
  /** Gone at run time, so it cannot take part in a loading cycle. */
  readonly isTypeOnly: boolean;
}

/** Paths relative to the working directory, sorted; none from node_modules. */
export function filesMatching(...patterns: string[]): string[] {
  return globSync(patterns, { exclude: ["**/node_modules"] })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted();
}

const parsedFiles = new Map<string, Source>();

export function read(file: string): Source {
  const known = parsedFiles.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8");
  const parsed = parseSync(file, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new SyntaxError(`${file}: ${error.message}`);
  const source = { file, text, parsed };
  parsedFiles.set(file, source);
  return source;
}

export function importsOf({ file, text, parsed }: Source): Import[] {
  const found = new Map<string, boolean>();
  const add = (specifier: string, isTypeOnly: boolean): void => {
    found.set(specifier, isTypeOnly && (found.get(specifier) ?? true));
  };
  for (const { moduleRequest, entries } of parsed.module.staticImports) {
    add(moduleRequest.value, entries.length > 0 && entries.every((entry) => entry.isType));
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const { moduleRequest, isType } of entries) if (moduleRequest) add(moduleRequest.value, isType);
  }
  for (const { moduleRequest } of parsed.module.dynamicImports) {
    const literal = /^["'](.*)["']$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1];
    if (literal !== undefined) add(literal, false);
  }
  return Array.from(found, ([specifier, isTypeOnly]) => {
    const isRelative = specifier.startsWith(".");
    return { target: isRelative ? normalize(join(dirname(file), specifier)) : specifier, isRelative, isTypeOnly };
  });
}

/** Calls `visit` for the node and everything below it, in source order; `false` leaves out what is below. */
export function walk(node: Node, visit: (node: Node) => boolean | void): void {
  if (visit(node) === false) return;
  for (const key of visitorKeys[node.type] ?? []) {
    const value: unknown = Reflect.get(node, key);
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

export function place({ file, text }: Source, offset: number): string {
  return `${file}:${text.slice(0, offset).split("\n").length}`;
}

/** Prints one line and makes the process fail at its end, so that one run shows every problem. */
export function report(problem: string): void {
  console.error(problem);
  process.exitCode = 1;
}
