// What the rules need to know of the syntax tree: which children hold code that runs, and whose awaits they are.
// Types and decorators are left out: nothing in them is edited.

import { type ArrowFunctionExpression, type Function, type Node, type Program, visitorKeys } from "oxc-parser";

/** The node with this `type`. */
export type NodeOf<Type extends Node["type"]> = Node extends infer Each
  ? Each extends { type: infer Types }
    ? Type extends Types
      ? Each
      : never
    : never
  : never;

/** A function in any of its forms; methods have one as their value. */
export type FunctionNode = Function | ArrowFunctionExpression;

const NOT_RUN = new Set(
  "decorators id implements label returnType superTypeArguments typeAnnotation typeArguments typeParameters".split(" "),
);
const TRANSPARENT = new Set([
  "ParenthesizedExpression",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);
const TYPESCRIPT_WITH_CODE = new Set([
  ...TRANSPARENT,
  "TSExportAssignment",
  "TSInstantiationExpression",
  "TSParameterProperty",
]);
const LEAVES = new Set([
  "BreakStatement",
  "ContinueStatement",
  "ExportAllDeclaration",
  "ImportDeclaration",
  "MetaProperty",
  "V8IntrinsicExpression",
]);

const KEYS = new Map<string, ReadonlyArray<string>>(
  Object.entries(visitorKeys).map(([type, keys]) => {
    const isLeaf = LEAVES.has(type) || (type.startsWith("TS") && !TYPESCRIPT_WITH_CODE.has(type));
    const hasPattern = type === "VariableDeclarator";
    return [type, isLeaf ? [] : keys.filter((key) => !NOT_RUN.has(key) || (hasPattern && key === "id"))];
  }),
);
const NONE: ReadonlyArray<string> = [];

/** Calls `visit` for the children that hold code, in source order. */
export function eachChild(node: Node, visit: (child: Node) => void): void {
  for (const key of KEYS.get(node.type) ?? NONE) {
    const value: unknown = Reflect.get(node, key);
    if (Array.isArray(value)) {
      for (const child of value) if (isNode(child)) visit(child);
    } else if (isNode(value) && !isPlainName(node, key)) visit(value);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

/** The `b` of `a.b` and `{ b: c }`: nothing that runs. */
function isPlainName(node: Node, key: string): boolean {
  return (key === "key" || key === "property") && "computed" in node && !node.computed;
}

export function isFunction(node: Node): node is FunctionNode {
  const { type } = node;
  return type === "ArrowFunctionExpression" || type === "FunctionExpression" || type === "FunctionDeclaration";
}

/** The expression without the parentheses and type assertions around it. */
export function unwrapped(node: Node): Node {
  let inner = node;
  while (TRANSPARENT.has(inner.type) && "expression" in inner && isNode(inner.expression)) inner = inner.expression;
  return inner;
}

/** Whether the code of this function or module itself, not of the functions in it, is ever suspended. */
export function waits(owner: FunctionNode | Program): boolean {
  if (owner.type !== "Program" && (!owner.async || owner.body === null)) return false;
  // Not recursive: expressions may be deep, and this looks at all of them.
  const ahead: Node[] = owner.type === "Program" ? [...owner.body] : [owner.body ?? owner];
  const push = (child: Node): void => void ahead.push(child);
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    if (suspends(node)) return true;
    eachOwnChild(node, push);
  }
  return false;
}

function suspends(node: Node): boolean {
  if (node.type === "AwaitExpression" || node.type === "YieldExpression") return true;
  if (node.type === "ForOfStatement") return node.await;
  return node.type === "VariableDeclaration" && node.kind === "await using";
}

/** The children whose code belongs to the same function: not those of a function, a class field or a static block. */
export function eachOwnChild(node: Node, visit: (child: Node) => void): void {
  if (isFunction(node) || node.type === "StaticBlock") return;
  if (node.type !== "PropertyDefinition" && node.type !== "AccessorProperty") return eachChild(node, visit);
  if (node.computed) visit(node.key);
}
