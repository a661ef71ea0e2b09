// The places where a function waits: `await`, `for await`, `await using`, and in async generators `yield` and `return`.

import type { Node } from "oxc-parser";

import { type NodeOf, unwrapped } from "./syntax.ts";
import type { JumpTarget, Rules, Walk } from "./walk.ts";

const AWAIT = "await".length;
const YIELD = "yield".length;
const RETURN = "return".length;

export const WAIT_RULES: Rules = {
  AwaitExpression(node, walk) {
    const { frame } = walk.owner;
    if (frame === undefined) return walk.visitChildren(node);
    const { runtime } = walk.words;
    walk.insert(node.start, `${runtime}.r(${frame},`);
    const callee = plainCallee(node.argument);
    const hook = callee === undefined ? "a" : "k";
    walk.insert(
      node.start + AWAIT,
      ` ${runtime}.${hook}(${walk.site(frame, "await", node, node.argument)},${callee ?? ""}`,
    );
    walk.visit(node.argument);
    walk.insert(node.end, "))");
  },
  YieldExpression(node, walk) {
    const { frame, isAsyncGenerator } = walk.owner;
    if (frame === undefined || !isAsyncGenerator) return walk.visitChildren(node);
    const { runtime } = walk.words;
    const site = walk.site(frame, "yield", node, node.argument);
    walk.insert(node.start, `${runtime}.y(${frame},`);
    const afterKeyword = node.start + YIELD;
    if (node.argument === null) walk.insert(afterKeyword, ` ${runtime}.z(${site})`);
    else if (node.delegate) walk.insert(afterStar(walk.code, afterKeyword), ` ${runtime}.d(${site},`);
    else walk.insert(afterKeyword, ` ${runtime}.z(${site},`);
    if (node.argument !== null) walk.visit(node.argument);
    walk.insert(node.end, node.argument === null ? ")" : "))");
  },
  ReturnStatement(node, walk) {
    const { frame, isAsyncGenerator } = walk.owner;
    if (node.argument === null) return;
    if (frame === undefined || !isAsyncGenerator) return walk.visit(node.argument);
    const site = walk.site(frame, "await", node, node.argument);
    walk.insert(node.start + RETURN, ` ${walk.words.runtime}.a(${site},`);
    walk.visit(node.argument);
    walk.insert(node.argument.end, ")");
  },
  VariableDeclaration(node, walk) {
    const { frame } = walk.owner;
    if (frame !== undefined && node.kind === "await using") {
      const { before, after } = guards(frame, walk);
      walk.insert(node.start, before);
      walk.visitAll(node.declarations);
      walk.insert(node.end, after);
      return;
    }
    walk.visitAll(node.declarations);
  },
  LabeledStatement: visitLabeled,
  ForOfStatement: (node, walk) => visitForOf(node, walk, []),
  ForStatement: (node, walk) => visitFor(node, walk, false),
  ForInStatement(node, walk) {
    visitHead(node.left, walk);
    walk.visit(node.right);
    visitLoopBody(node.body, walk, []);
  },
  WhileStatement(node, walk) {
    walk.visit(node.test);
    visitLoopBody(node.body, walk, []);
  },
  DoWhileStatement(node, walk) {
    visitLoopBody(node.body, walk, []);
    walk.visit(node.test);
  },
  SwitchStatement(node, walk) {
    walk.visit(node.discriminant);
    withTargets(walk, [target(undefined, walk, false)], () => walk.visitAll(node.cases));
  },
  BreakStatement: (node, walk) => visitJump(node, walk),
  ContinueStatement: (node, walk) => visitJump(node, walk),
};

/** The name of what is called, with a comma, if that can be read twice without anybody seeing it. */
function plainCallee(argument: Node): string | undefined {
  const call = unwrapped(argument);
  if (call.type !== "CallExpression" || call.optional || call.callee.type !== "Identifier") return undefined;
  return call.callee.name === "eval" ? undefined : `${call.callee.name},`;
}

/** The star of `yield*`, past white space and comments. */
function afterStar(code: string, at: number): number {
  const between = /(?:\s|\/\*[^]*?\*\/|\/\/.*)*/y;
  between.lastIndex = at;
  between.exec(code);
  return between.lastIndex + 1;
}

/** Disposed in reverse: the second one says that cleanup begins, the first one that it has ended. */
function guards(frame: string, walk: Walk): { readonly before: string; readonly after: string } {
  const { guard, runtime } = walk.words;
  const [one, other] = [`${guard}${walk.guards + 1}`, `${guard}${walk.guards + 2}`];
  walk.guards += 2;
  return { before: `using ${one}=${runtime}.u(${frame});`, after: `;using ${other}=${runtime}.v(${one});` };
}

type ForOf = NodeOf<"ForOfStatement">;

/** A guard cannot stand in the head of a loop. */
function visitHead(head: Node | null, walk: Walk): void {
  if (head?.type === "VariableDeclaration") walk.visitAll(head.declarations);
  else if (head !== null) walk.visit(head);
}

function visitForOf(node: ForOf, walk: Walk, labels: ReadonlyArray<string>): void {
  const { frame } = walk.owner;
  const isWaiting = node.await && frame !== undefined;
  if (isWaiting && labels.length === 0) walk.insert(node.start, "{");
  const taken = takeResource(node, walk);
  if (isWaiting) {
    walk.insert(node.right.start, `${walk.words.runtime}.it(${walk.site(frame, "for await", node, node.right)},`);
  }
  walk.visit(node.right);
  if (isWaiting) walk.insert(node.right.end, ")");
  const first = `${isWaiting ? resumed(walk) : ""}${taken ?? ""}`;
  const isBlock = node.body.type === "BlockStatement" && taken === null;
  if (first !== "") walk.insert(isBlock ? node.body.start + 1 : node.body.start, `${isBlock ? "" : "{"}${first}`);
  visitLoopBody(node.body, walk, labels);
  if (first !== "" && !isBlock) walk.insert(node.body.end, "}");
  if (isWaiting && labels.length === 0) walk.insert(node.end, `${resumed(walk)}}`);
}

/** An `await using` of the head goes into the body, where it can have its guards. Returns what the body begins with. */
function takeResource({ left, right }: ForOf, walk: Walk): string | null {
  const { frame } = walk.owner;
  const [declared] = left.type === "VariableDeclaration" && left.kind === "await using" ? left.declarations : [];
  // One that names itself, or begins with a value, is a mistake, and has to stay the same one.
  const name = declared?.id.type === "Identifier" && declared.init === null ? declared.id.name : null;
  if (frame === undefined || name === null || walk.code.slice(right.start, right.end).includes(name)) {
    visitHead(left, walk);
    return null;
  }
  const { before, after } = guards(frame, walk);
  const given = `${walk.words.guard}${++walk.guards}`;
  walk.edits.replace(left.start, left.end, `const ${given}`);
  return `${before}await using ${name}=${given}${after}`;
}

/** Of a constant there is one for all rounds: a resource may as well stand before the loop. Not behind a label. */
function visitFor(node: NodeOf<"ForStatement">, walk: Walk, isLabelled: boolean): void {
  const { init } = node;
  const isResource = init?.type === "VariableDeclaration" && init.kind === "await using";
  const isMoved = isResource && !isLabelled && walk.owner.frame !== undefined;
  if (isMoved) {
    const lines = walk.code.slice(node.start, init.start).replaceAll(/[^\r\n\u2028\u2029]/g, "");
    walk.edits.replace(node.start, init.start, `{${lines}`);
    walk.visit(init);
    walk.insert(init.end, ";for (");
  } else visitHead(init, walk);
  walk.visitAll([node.test, node.update]);
  visitLoopBody(node.body, walk, []);
  if (isMoved) walk.insert(node.end, "}");
}

/** What follows a wait that no expression of the user's shows. */
function resumed({ words, owner: { frame } }: Walk): string {
  return `${words.runtime}.c2(${frame});`;
}

/** With labels the braces go around the first of them: a label has to stand right before its loop. */
function visitLabeled(node: NodeOf<"LabeledStatement">, walk: Walk): void {
  const labels = [node.label.name];
  let { body } = node;
  for (; body.type === "LabeledStatement"; body = body.body) labels.push(body.label.name);
  if (body.type !== "ForOfStatement" || !body.await || walk.owner.frame === undefined) {
    const targets = labels.map((label) => target(label, walk));
    return withTargets(walk, targets, () =>
      body.type === "ForStatement" ? visitFor(body, walk, true) : walk.visit(body),
    );
  }
  walk.insert(node.start, "{");
  visitForOf(body, walk, labels);
  walk.insert(node.end, `${resumed(walk)}}`);
}

function visitLoopBody(body: Node, walk: Walk, labels: ReadonlyArray<string>): void {
  withTargets(
    walk,
    [undefined, ...labels].map((label) => target(label, walk)),
    () => walk.visit(body),
  );
}

function target(label: string | undefined, walk: Walk, takesContinue = true): JumpTarget {
  return { label, takesContinue, cleanupDepth: walk.owner.cleanupDepth };
}

function withTargets(walk: Walk, targets: ReadonlyArray<JumpTarget>, visit: () => void): void {
  const { jumpTargets } = walk.owner;
  jumpTargets.push(...targets);
  visit();
  jumpTargets.length -= targets.length;
}

/** Whoever jumps out of a `catch` or `finally` is not in cleanup where it lands. */
function visitJump(node: NodeOf<"BreakStatement" | "ContinueStatement">, walk: Walk): void {
  const { frame, cleanupDepth, jumpTargets } = walk.owner;
  if (frame === undefined || cleanupDepth === 0) return;
  const label = node.label?.name;
  const landing = jumpTargets.findLast(
    (each) => each.label === label && (each.takesContinue || node.type === "BreakStatement"),
  );
  if (landing === undefined || landing.cleanupDepth > 0) return;
  walk.insert(node.start, `{${frame}.c=0;`);
  walk.insert(node.end, "}");
}
