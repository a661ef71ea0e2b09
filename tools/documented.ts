// Everything a user can import, with its doc comment: what the checks of comments and the table of cancellation safety read.

import type { Node } from "oxc-parser";

import { type Declared, entriesOf, exportsOf } from "./public-api.ts";
import { filesMatching, place, type Source } from "./source.ts";

export interface Documented {
  /** What a user imports it from, for example "meanwhile/testing": the first entry point that has it. */
  readonly specifier: string;
  /** As it is called: `sleep`, or `Queue.get`. */
  readonly name: string;
  /** Where it is declared: "path:line". */
  readonly place: string;
  /** The text of its doc comments, those of all overloads, without the stars. */
  readonly doc: string;
  /** Whether calling it gives something to wait for. */
  readonly waits: boolean;
}

const WAITING = /^(Promise|PromiseLike|Coroutine|AsyncIterable|AsyncIterator|AsyncIterableIterator|AsyncGenerator)$/;
// What the language defines: then(), [Symbol.iterator]() and their like do what every reader knows.
const THENABLE = ["then", "catch", "finally"];

/**
 * Every exported name of every package, and the public members of exported classes and interfaces, but for what is marked
 * `@internal`.
 */
export function documented(): Documented[] {
  const folders = filesMatching("packages/*/package.json").map((file) => file.slice(0, -"/package.json".length));
  const seen = new Set<Node>();
  return folders
    .flatMap((folder) => entriesOf(folder, "@meanwhile/source"))
    .flatMap(({ specifier, file }) =>
      Array.from(exportsOf(file)).flatMap(([name, declared]) => {
        const [first] = declared;
        if (first === undefined || seen.has(first.declaration)) return [];
        seen.add(first.declaration);
        return [exported(specifier, name, first, declared), ...declared.flatMap((one) => membersOf(specifier, one))];
      }),
    )
    .filter(({ doc }) => !/^\s*@internal\b/m.test(doc));
}

function exported(specifier: string, name: string, first: Declared, declared: ReadonlyArray<Declared>): Documented {
  const { source, statement } = first;
  const doc = declared.map((one) => docBefore(one.source, one.statement)).join("\n");
  const isWaiting = declared.some(({ declaration }) => waits(declaration));
  return { specifier, name, place: place(source, statement.start), doc, waits: isWaiting };
}

function membersOf(specifier: string, { source, declaration, name }: Declared): Documented[] {
  if (declaration.type !== "ClassDeclaration" && declaration.type !== "TSInterfaceDeclaration") return [];
  const overloads = new Map<string, Node[]>();
  for (const member of declaration.body.body) {
    const key = publicName(member);
    if (key !== undefined) overloads.set(key, [...(overloads.get(key) ?? []), member]);
  }
  return Array.from(overloads, ([key, members]) => ({
    specifier,
    name: `${name}.${key}`,
    place: place(source, members[0]?.start ?? declaration.start),
    doc: members.map((node) => docBefore(source, node)).join("\n"),
    waits: members.some(waits),
  }));
}

/** The text of the doc comment that ends right before the node, or "". */
function docBefore({ text, parsed }: Source, node: Node): string {
  const before = parsed.comments.findLast(({ end }) => end <= node.start);
  if (before === undefined || !before.value.startsWith("*")) return "";
  if (text.slice(before.end, node.start).trim() !== "") return "";
  return before.value.replaceAll(/^ *\*+ ?/gm, "").trim();
}

/** Whether calling it, or reading it, gives something to wait for. A function that returns a function does not. */
function waits(node: Node | null | undefined): boolean {
  switch (node?.type) {
    case "TSTypeReference":
      return node.typeName.type === "Identifier" && WAITING.test(node.typeName.name);
    case "TSUnionType":
      return node.types.some(waits);
    case "TSTypeAnnotation":
      return waits(node.typeAnnotation);
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "FunctionExpression":
    case "TSEmptyBodyFunctionExpression":
      return node.async || waits(node.returnType);
    case "TSMethodSignature":
      return waits(node.returnType);
    case "MethodDefinition":
      return waits(node.value);
    case "PropertyDefinition":
    case "TSPropertySignature":
      return waitsWhenCalled(node.typeAnnotation?.typeAnnotation);
    case "VariableDeclaration":
      return node.declarations.some(
        ({ id }) => "typeAnnotation" in id && waitsWhenCalled(id.typeAnnotation?.typeAnnotation),
      );
    default:
      return false;
  }
}

function waitsWhenCalled(type: Node | undefined): boolean {
  return type?.type === "TSFunctionType" && waits(type.returnType);
}

function publicName(member: Node): string | undefined {
  if (!("key" in member) || !("computed" in member)) return undefined;
  if (member.computed) {
    const isDisposer =
      "property" in member.key && "name" in member.key.property && member.key.property.name === "asyncDispose";
    return isDisposer ? "[Symbol.asyncDispose]" : undefined;
  }
  const isOpen = !("accessibility" in member) || member.accessibility === null || member.accessibility === "public";
  const isOwn = !("override" in member) || !member.override;
  const isConstructor = "kind" in member && member.kind === "constructor";
  if (member.key.type !== "Identifier" || !isOpen || !isOwn || isConstructor) return undefined;
  return THENABLE.includes(member.key.name) ? undefined : member.key.name;
}

/** What a cancellation does to the data of a call. */
export const SAFETIES = ["safe", "loses", "reaches"] as const;

export interface CancellationLine {
  readonly safety: (typeof SAFETIES)[number];
  /** The rest of the line: why it is safe, what is lost, whom it reaches. */
  readonly text: string;
}

/** The paragraph "Cancellation: safe. Because …" of a doc comment; null without one that begins with a known word. */
export function cancellationLine(doc: string): CancellationLine | null {
  const paragraph = /^Cancellation: ([^]*?)(?:\n *\n|\n@|$(?![^]))/m.exec(doc)?.[1]?.replaceAll(/\s+/g, " ").trim();
  const [, word, text] = /^(\w+)\.? (.*)$/.exec(paragraph ?? "") ?? [];
  const safety = SAFETIES.find((one) => one === word);
  return safety === undefined || text === undefined ? null : { safety, text };
}
