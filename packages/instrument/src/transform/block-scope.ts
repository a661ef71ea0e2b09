// Whether a function body would mean something else as a block. Functions declared in a block are `let`-like: they clash with
// `var`, parameters and each other, and are out of the reach of what a sloppy `eval` or a block further in declares.

import type { BlockStatement, FunctionBody, Node, Statement } from "oxc-parser";

import { eachChild, eachOwnChild, type FunctionNode, isFunction } from "./syntax.ts";

export function changesInBlock(node: FunctionNode, body: BlockStatement | FunctionBody, code: string): boolean {
  const declared = body.body.map(declaredFunction).filter((name) => name !== undefined);
  if (declared.length === 0) return false;
  const names = new Set(declared);
  if (names.size < declared.length || /\beval\b/.test(code.slice(body.start, body.end))) return true;
  return node.params.some((parameter) => binds(parameter, names)) || body.body.some((each) => redeclares(each, names));
}

function declaredFunction(statement: Node): string | undefined {
  if (statement.type === "LabeledStatement") return declaredFunction(statement.body);
  return statement.type === "FunctionDeclaration" ? statement.id?.name : undefined;
}

/** Whether a pattern binds one of the names. Names used in it count as well: rare, and `using` is right anywhere. */
function binds(pattern: Node, names: ReadonlySet<string>): boolean {
  if (pattern.type === "Identifier") return names.has(pattern.name);
  let found = false;
  eachChild(pattern, (child) => {
    found ||= binds(child, names);
  });
  return found;
}

/** Whether the statement, or one in it, declares one of the names for the whole function. */
function redeclares(statement: Statement | Node, names: ReadonlySet<string>, depth = 0): boolean {
  if (statement.type === "VariableDeclaration" && statement.kind === "var") {
    if (statement.declarations.some(({ id }) => binds(id, names))) return true;
  }
  if (isFunction(statement)) {
    const isNested = depth > 0 && statement.type === "FunctionDeclaration";
    return isNested && statement.id !== null && names.has(statement.id.name);
  }
  let found = false;
  const nextDepth = statement.type === "LabeledStatement" ? depth : depth + 1;
  eachOwnChild(statement, (child) => {
    found ||= redeclares(child, names, nextDepth);
  });
  return found;
}
