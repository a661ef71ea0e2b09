// Fails when an error has no code of ours, a text against STYLE.md §3, or no row in docs/errors.md; and when a row has no error.

import { readFileSync } from "node:fs";

import type { Argument, Node } from "oxc-parser";

import { filesMatching, place, read, report, type Source, walk } from "./source.ts";

const TABLE = "docs/errors.md";
const CODE = /^MW_(ERR|WARN)(_[A-Z]+)+$/;
const NATIVE = /^(Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|URIError|DOMException)$/;
/** The standard says which errors its `fetch` throws. */
const AS_THE_STANDARD_SAYS = /\/(?:standard-fetch|fetch-init|fetched-body)\.ts$/;
const CONTRACTION = /\b\w+(n['’]t|['’](re|ll|ve|d))\b|\b(it|that|there|what|who|here|let)['’]s\b/i;

const places = new Map<string, string>();

function checkFile(source: Source): void {
  const ownsErrors = source.file.endsWith("/src/errors.ts");
  walk(source.parsed.program, (node) => {
    if (node.type === "Literal" && typeof node.value === "string") collectCode(source, node, node.value);
    if (node.type === "ThrowStatement" && isNative(node.argument)) refuseNative(source, node);
    if (node.type !== "NewExpression" && node.type !== "CallExpression") return;
    if (!ownsErrors && isNative(node) && node.arguments.length > 0) refuseNative(source, node);
    const at = node.arguments.findIndex((argument) => /^[A-Z]+(_[A-Z0-9]+)+$/.test(textOf(argument)));
    const code = textOf(node.arguments[at]);
    const isOurs = node.callee.type === "Super" || nameOf(node.callee).endsWith("Error") || code.startsWith("MW_");
    if (at === -1 || !isOurs) return;
    if (!CODE.test(code))
      report(`${place(source, node.start)} has the code ${code}: it must look like MW_ERR_CAPITAL_LETTERS`);
    for (const argument of node.arguments.slice(at + 1)) checkText(source, argument);
  });
}

function collectCode(source: Source, node: Node, value: string): void {
  if (!/^MW_(ERR|WARN)/.test(value)) return;
  if (CODE.test(value)) places.set(value, places.get(value) ?? place(source, node.start));
  else report(`${place(source, node.start)} has the code ${value}: it must look like MW_ERR_CAPITAL_LETTERS`);
}

/** `new Error()` without a text is a stack, not an error, unless it is thrown. */
function isNative(node: Node): boolean {
  return (node.type === "NewExpression" || node.type === "CallExpression") && NATIVE.test(nameOf(node.callee));
}

function refuseNative(source: Source, node: Node): void {
  if (AS_THE_STANDARD_SAYS.test(source.file)) return;
  report(`${place(source, node.start)} makes a native error: use a class from errors.ts, with a code`);
}

function checkText(source: Source, argument: Argument): void {
  const text = textOf(argument);
  if (/[^.]\.$/.test(text)) report(`${place(source, argument.start)} ends an error text with a full stop`);
  const contraction = CONTRACTION.exec(text)?.[0];
  if (contraction !== undefined)
    report(`${place(source, argument.start)} has the contraction "${contraction}" in an error text`);
}

function nameOf(node: Node): string {
  return node.type === "Identifier" ? node.name : "";
}

/** The words of a string, template or sum of such; every inserted value reads as one letter. */
function textOf(node: Node | undefined): string {
  if (node?.type === "Literal") return String(node.value);
  if (node?.type === "TemplateLiteral") return node.quasis.map((quasi) => quasi.value.cooked).join("x");
  if (node?.type === "BinaryExpression") return textOf(node.left) + textOf(node.right);
  return node === undefined ? "" : "x";
}

const files = filesMatching("packages/*/src/**/*.ts");
if (files.length === 0) report("No packages/*/src/**/*.ts here: run this in the root of the repository");
for (const file of files) checkFile(read(file));

const listed = new Set<string>();
for (const line of readFileSync(TABLE, "utf8").split("\n")) {
  const [, code, ...cells] = /^\| `(MW_\w+)` +\|(.+)\|(.+)\|$/.exec(line) ?? [];
  if (code === undefined && line.includes("MW_") && line.startsWith("|"))
    report(`${TABLE}: not "| code | meaning | remedy |": ${line}`);
  if (code === undefined) continue;
  if (listed.has(code)) report(`${TABLE} lists ${code} twice`);
  if (cells.some((cell) => cell.trim() === "")) report(`${TABLE} leaves a cell of ${code} empty`);
  listed.add(code);
  if (!places.has(code)) report(`${TABLE} lists ${code}, which nothing in packages/*/src uses`);
}
for (const [code, where] of places) if (!listed.has(code)) report(`${where} uses ${code}: add a row to ${TABLE}`);
