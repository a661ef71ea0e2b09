// Fails when something a user can import has no doc comment, or waits and does not say what cancellation does to it.

import type { Node } from "oxc-parser";

import { type Declared, entriesOf, exportsOf } from "./public-api.ts";
import { filesMatching, place, report, type Source } from "./source.ts";

const WAITING = /^(Promise|PromiseLike|Coroutine|AsyncIterable|AsyncIterator|AsyncIterableIterator|AsyncGenerator)$/;
// What the language defines: then(), [Symbol.iterator]() and their like do what every reader knows.
const THENABLE = ["then", "catch", "finally"];

/** The text of the doc comment that ends right before the node, or "". */
function docBefore({ text, parsed }: Source, node: Node): string {
  const before = parsed.comments.findLast(({ end }) => end <= node.start);
  if (before === undefined || !before.value.startsWith("*")) return "";
  return text.slice(before.end, node.start).trim() === "" ? before.value : "";
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

function check(source: Source, name: string, nodes: ReadonlyArray<Node>, isWaiting: boolean): void {
  const [first] = nodes;
  if (first === undefined) return;
  const docs = nodes.map((node) => docBefore(source, node)).join("\n");
  if (docs.trim() === "") report(`${place(source, first.start)} ${name} has no doc comment`);
  else if (isWaiting && !/\bCancellation: \S/.test(docs)) {
    report(`${place(source, first.start)} ${name} waits: its doc comment needs a line "Cancellation: …"`);
  }
}

function checkMembers({ source, declaration, name }: Declared): void {
  const isType = declaration.type === "ClassDeclaration" || declaration.type === "TSInterfaceDeclaration";
  if (!isType) return;
  const overloads = new Map<string, Node[]>();
  for (const member of declaration.body.body) {
    const key = publicName(member);
    if (key !== undefined) overloads.set(key, [...(overloads.get(key) ?? []), member]);
  }
  for (const [key, members] of overloads) check(source, `${name}.${key}`, members, members.some(waits));
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

const folders = filesMatching("packages/*/package.json").map((file) => file.slice(0, -"/package.json".length));
const seen = new Set<Node>();
for (const { file } of folders.flatMap((folder) => entriesOf(folder, "@meanwhile/source"))) {
  for (const [name, declared] of exportsOf(file)) {
    const [first] = declared;
    if (first === undefined || seen.has(first.declaration)) continue;
    seen.add(first.declaration);
    check(
      first.source,
      name,
      declared.map(({ statement }) => statement),
      declared.some(({ declaration }) => waits(declaration)),
    );
    for (const one of declared) checkMembers(one);
  }
}
if (seen.size === 0) report("No exported names here: run this in the root of the repository");
