// Finds what a package exports: its entry points, and behind every exported name the declaration in the file that makes it.

import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import type { Node } from "oxc-parser";

import { read, type Source } from "./source.ts";

/** Which files to follow: our sources, or the declarations that users get. */
export type Condition = "@meanwhile/source" | "types";

export interface Entry {
  /** What a user imports, for example "meanwhile/testing". */
  readonly specifier: string;
  readonly file: string;
}

export interface Declared {
  readonly name: string;
  readonly source: Source;
  /** The whole statement, with its `export`: what a doc comment stands before. */
  readonly statement: Node;
  readonly declaration: Node;
}

export function entriesOf(packageFolder: string, condition: Condition): Entry[] {
  const manifest: { name: string; exports: Record<string, Record<string, string> | string | null> } = JSON.parse(
    readFileSync(join(packageFolder, "package.json"), "utf8"),
  );
  return Object.entries(manifest.exports).flatMap(([path, targets]) => {
    const file = typeof targets === "object" && targets !== null ? targets[condition] : undefined;
    return file === undefined ? [] : [{ specifier: join(manifest.name, path), file: join(packageFolder, file) }];
  });
}

/** The exported names, sorted, each with its declarations: several for overloads and for a type beside a value. */
export function exportsOf(file: string): Map<string, Declared[]> {
  const { entries } = namesOf(read(file));
  return new Map([...entries.keys()].toSorted().map((name) => [name, declarationsOf(file, name)]));
}

interface Names {
  /** Exported name → the file it comes from (this one if undefined) and its name there. */
  readonly entries: Map<string, { from: string | undefined; name: string }>;
  readonly imports: Map<string, { from: string; name: string }>;
}

function namesOf({ file, parsed }: Source): Names {
  const names: Names = { entries: new Map(), imports: new Map() };
  for (const { entries, moduleRequest } of parsed.module.staticImports) {
    for (const { importName, localName } of entries) {
      names.imports.set(localName.value, { from: moduleRequest.value, name: importName.name ?? "*" });
    }
  }
  for (const entry of parsed.module.staticExports.flatMap((statement) => statement.entries)) {
    const exported = entry.exportName.name;
    if (exported === null) throw new Error(`${file} has \`export *\`: list the names`);
    const name = entry.importName.name ?? entry.localName.name ?? exported;
    names.entries.set(exported, { from: entry.moduleRequest?.value, name });
  }
  return names;
}

function declarationsOf(file: string, name: string): Declared[] {
  const source = read(file);
  const { entries, imports } = namesOf(source);
  const found = entries.get(name);
  if (found === undefined) throw new Error(`${file} does not export ${name}`);
  const origin = found.from === undefined ? imports.get(found.name) : { from: found.from, name: found.name };
  if (origin !== undefined) return declarationsOf(fileOf(file, origin.from), origin.name);
  return source.parsed.program.body.flatMap((statement) => {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    const isIt = declaration !== null && declaredNames(declaration).includes(found.name);
    return isIt ? [{ name: found.name, source, statement, declaration }] : [];
  });
}

function fileOf(importer: string, specifier: string): string {
  if (!specifier.startsWith(".")) throw new Error(`${importer} exports names of "${specifier}": declare our own`);
  const target = normalize(join(dirname(importer), specifier));
  return importer.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
}

function declaredNames(declaration: Node): string[] {
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  if ("id" in declaration && declaration.id?.type === "Identifier") return [declaration.id.name];
  return [];
}
