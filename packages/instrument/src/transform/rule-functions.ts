// Functions: which of them get a frame, and how their bodies enter and leave it.

import type { Class, Node } from "oxc-parser";

import { changesInBlock } from "./block-scope.ts";
import { type FunctionNode, isFunction, type NodeOf, unwrapped, waits } from "./syntax.ts";
import type { Owner, Rules, Walk } from "./walk.ts";

export const FUNCTION_RULES: Rules = {
  ArrowFunctionExpression: visitFunction,
  FunctionExpression: visitFunction,
  FunctionDeclaration: visitFunction,
  ClassDeclaration: visitClass,
  ClassExpression: visitClass,
  MethodDefinition: visitMember,
  PropertyDefinition: visitMember,
  AccessorProperty: visitMember,
  StaticBlock: (node, walk) =>
    walk.within(withoutFrame(walk.owner, walk.owner.isTopLevel), () => walk.visitAll(node.body)),
  Property: visitMember,
  VariableDeclarator(node, walk) {
    if (node.id.type === "Identifier") walk.nameIfFunction(node.init, node.id.name);
    walk.visitChildren(node);
  },
  AssignmentExpression(node, walk) {
    if (node.left.type === "Identifier") walk.nameIfFunction(node.right, node.left.name);
    if (node.left.type === "MemberExpression") {
      walk.nameIfFunction(node.right, keyText(node.left.property, node.left.computed, walk.code));
      if (node.left.computed && isAsyncDispose(node.left.property)) walk.disposers.add(unwrapped(node.right));
    }
    walk.visitChildren(node);
  },
  AssignmentPattern(node, walk) {
    if (node.left.type === "Identifier") walk.nameIfFunction(node.right, node.left.name);
    walk.visitChildren(node);
  },
  ExportDefaultDeclaration(node, walk) {
    walk.nameIfFunction(node.declaration, "default");
    walk.visit(node.declaration);
  },
};

/**
 * Names of the file's own functions with a frame, each with the place from which on it can be named: the promise of such
 * a call is that of its frame, and of nothing else. Generators give no promise.
 */
export function ownFunctions(
  body: ReadonlyArray<Node>,
  instrumented: ReadonlySet<Node>,
): { name: string; from: number }[] {
  return body.flatMap((statement) => {
    const declared = "declaration" in statement && statement.declaration ? statement.declaration : statement;
    if (declared.type === "FunctionDeclaration" && declared.id !== null) {
      return instrumented.has(declared) && !declared.generator ? [{ name: declared.id.name, from: 0 }] : [];
    }
    if (declared.type !== "VariableDeclaration" || declared.kind !== "const") return [];
    return declared.declarations.flatMap(({ id, init }) => {
      const value = init && unwrapped(init);
      const isOwn = value && isFunction(value) && !value.generator && instrumented.has(value);
      return isOwn && id.type === "Identifier" ? [{ name: id.name, from: statement.end }] : [];
    });
  });
}

/** Names of the file's own async functions, with a frame or without. */
export function asyncNames(body: ReadonlyArray<Node>): ReadonlySet<string> {
  const all = new Set<Node>();
  for (const statement of body) {
    const declared = "declaration" in statement && statement.declaration ? statement.declaration : statement;
    const values = declared.type === "VariableDeclaration" ? declared.declarations.map(({ init }) => init) : [declared];
    for (const value of values) {
      const inner = value && unwrapped(value);
      if (inner && isFunction(inner) && inner.async) all.add(inner);
    }
  }
  return new Set(ownFunctions(body, all).map(({ name }) => name));
}

function withoutFrame(outer: Owner, isTopLevel: boolean): Owner {
  const { visibleFrame, frames } = outer;
  return {
    frame: undefined,
    visibleFrame,
    frames,
    isAsyncGenerator: false,
    isTopLevel,
    cleanupDepth: 0,
    jumpTargets: [],
  };
}

function visitFunction(node: FunctionNode, walk: Walk): void {
  const { body } = node;
  if (body === null) return;
  const outer = withoutFrame(walk.owner, false);
  // Parameters cannot name the frame: it is made in the body.
  walk.within(outer, () => walk.visitAll(node.params));
  if (!waits(node)) return walk.within(outer, () => walk.visit(body));
  walk.instrumented.add(node);
  const isDisposer = walk.disposers.has(node);
  const frames = outer.frames + 1;
  const frame = `${walk.words.frame}${frames}`;
  const owner: Owner = {
    ...outer,
    frame,
    visibleFrame: frame,
    frames,
    isAsyncGenerator: node.generator,
    cleanupDepth: isDisposer ? 1 : 0,
  };
  const site = walk.sites.addFunction(walk.nameOf(node), walk.functionNames.get(node)?.start ?? node.start);
  const parent = outer.visibleFrame === undefined ? "" : `,${outer.visibleFrame}`;
  const { runtime, table } = walk.words;
  const enter = `${frame}=${runtime}.e(${table}.functions[${site}]${parent});${isDisposer ? `${frame}.c=1;` : ""}`;
  walk.within(owner, () => instrumentBody(node, body, enter, walk));
}

function instrumentBody(node: FunctionNode, body: Node, enter: string, walk: Walk): void {
  const leave = `}finally{${walk.words.runtime}.x(${walk.owner.frame})}`;
  if (body.type !== "BlockStatement") {
    walk.insert(body.start, `{const ${enter}try{return(`);
    walk.visit(body);
    walk.insert(body.end, `)${leave}}`);
    return;
  }
  const keepsBody = changesInBlock(node, body, walk.code);
  const directive = body.body.findLast((statement) => "directive" in statement && statement.directive !== null);
  const opening = keepsBody ? `using ${enter}` : `const ${enter}try{`;
  if (directive === undefined) walk.insert(body.start + 1, opening);
  else walk.insert(directive.end, `;${opening}`);
  walk.visitAll(body.body);
  if (!keepsBody) walk.insert(body.end - 1, leave);
}

function visitClass(node: Class, walk: Walk): void {
  const outer = walk.className;
  if (node.superClass !== null) walk.visit(node.superClass);
  walk.className = node.id?.name ?? walk.functionNames.get(node)?.name;
  walk.visitAll(node.body.body);
  walk.className = outer;
}

type Member = NodeOf<"MethodDefinition" | "PropertyDefinition" | "AccessorProperty" | "Property">;

function visitMember(node: Member, walk: Walk): void {
  const { key, value, computed } = node;
  const isInClass = node.type !== "Property";
  if (computed) walk.visit(key);
  if (value === null) return;
  const name = keyText(key, computed, walk.code);
  const isMethod = node.type === "MethodDefinition" || ("method" in node && node.method);
  const fullName = isInClass && walk.className !== undefined ? `${walk.className}.${name}` : name;
  walk.nameIfFunction(value, fullName, isMethod ? node.start : undefined);
  if (computed && isAsyncDispose(key)) walk.disposers.add(unwrapped(value));
  // A function is told its own owner; any other value of a class field runs when an instance is made.
  if (isInClass && !isFunction(value))
    walk.within(withoutFrame(walk.owner, walk.owner.isTopLevel), () => walk.visit(value));
  else walk.visit(value);
}

function isAsyncDispose(key: Node): boolean {
  return (
    key.type === "MemberExpression" &&
    !key.computed &&
    key.object.type === "Identifier" &&
    key.object.name === "Symbol" &&
    key.property.name === "asyncDispose"
  );
}

/** What a member is called by people: `name`, `#name`, or `[Symbol.iterator]`. */
function keyText(key: Node, computed: boolean, code: string): string {
  if (key.type === "Literal") return String(key.value);
  const text = code.slice(key.start, key.end);
  return computed ? `[${text.replaceAll(/\s+/g, " ").slice(0, 40)}]` : text;
}
