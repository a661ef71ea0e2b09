// Calls: functions that are handed on learn whose they are, and a statement that is a call may have forgotten its `await`.

import type { Argument, CallExpression, Node } from "oxc-parser";

import { isFunction, unwrapped } from "./syntax.ts";
import type { Rules, Walk } from "./walk.ts";

/** Array methods call what they are given at once, or never. */
const CALL_AT_ONCE = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach from map reduce reduceRight some sort toSorted".split(
    " ",
  ),
);
/** Calls of meanwhile that run a body or jobs: a plain function given to one may return a promise of anybody. */
const RUNS_BODIES = new Set(
  "timeout timeoutAt moveOnAfter shield cancelScope taskGroup createTask start gather gatherSettled race any asCompleted run".split(
    " ",
  ),
);
const MAY_BE_FUNCTION: ReadonlySet<string> = new Set<Node["type"]>([
  "ArrowFunctionExpression",
  "AssignmentExpression",
  "CallExpression",
  "ChainExpression",
  "ConditionalExpression",
  "FunctionExpression",
  "Identifier",
  "LogicalExpression",
  "MemberExpression",
  "SequenceExpression",
  "TaggedTemplateExpression",
  "TSInstantiationExpression",
]);
const NO_FUNCTIONS = new Set(["undefined", "NaN", "Infinity"]);
/** What is called with these has taken care of the promise. */
const HANDLES_PROMISE = new Set(["then", "catch", "finally"]);

export const CALL_RULES: Rules = {
  CallExpression(node, walk) {
    walk.visit(node.callee);
    visitArguments(node.arguments, nameOfCallee(node), walk);
  },
  NewExpression(node, walk) {
    walk.visit(node.callee);
    const { callee } = node;
    if (callee.type === "Identifier" && callee.name === "Promise") visitExecutor(node.arguments, walk);
    else visitArguments(node.arguments, undefined, walk);
  },
  ExpressionStatement({ expression }, walk) {
    const call = walk.owner.isTopLevel ? undefined : callOf(expression);
    const name = call && nameOfCallee(call);
    if (call === undefined || name === undefined || name === "eval" || HANDLES_PROMISE.has(name))
      return walk.visit(expression);
    const { runtime, table } = walk.words;
    const site = walk.sites.addWait("call", expression.start, expression.start, expression.end);
    const { hook, more } = whatIsCalled(call, walk);
    walk.insert(expression.start, `${runtime}.${hook}(`);
    walk.visit(expression);
    walk.insert(expression.end, `,${JSON.stringify(name)},${table}.waits[${site}]${more})`);
  },
};

function visitArguments(passed: ReadonlyArray<Argument>, callee: string | undefined, walk: Walk): void {
  // Also in a plain function: it may run while the function around does.
  const { visibleFrame: frame } = walk.owner;
  if (frame === undefined || callee === "eval") return walk.visitAll(passed);
  const callsAtOnce = callee !== undefined && CALL_AT_ONCE.has(callee);
  const runsBodies = callee !== undefined && RUNS_BODIES.has(callee);
  for (const each of passed) {
    const elements = runsBodies ? elementsOf(each) : [];
    if (elements.length > 0) for (const element of elements) markLiteral(element, frame, walk);
    else visitArgument(each, { frame, callsAtOnce, runsBodies }, walk);
  }
}

interface Receiver {
  readonly frame: string;
  readonly callsAtOnce: boolean;
  readonly runsBodies: boolean;
}

function visitArgument(passed: Node, { frame, callsAtOnce, runsBodies }: Receiver, walk: Walk): void {
  const isHandedOn = mayBeFunction(passed, callsAtOnce, walk.settlers);
  const isBody = runsBodies && isFunction(unwrapped(passed));
  if (isHandedOn) walk.insert(passed.start, `${walk.words.runtime}.${isBody ? "l" : "q"}(${frame},`);
  walk.visit(passed);
  if (isHandedOn) walk.insert(passed.end, ")");
}

/** The functions in a list may be jobs. */
function elementsOf(passed: Node): Node[] {
  const value = unwrapped(passed);
  return value.type === "ArrayExpression" ? value.elements.filter((element) => element !== null) : [];
}

function markLiteral(element: Node, frame: string, walk: Walk): void {
  const value = unwrapped(element);
  if (isFunction(value)) visitArgument(element, { frame, callsAtOnce: false, runsBodies: true }, walk);
  else walk.visit(element);
}

/** Called at once, with functions that only settle the promise. */
function visitExecutor(passed: ReadonlyArray<Argument>, walk: Walk): void {
  const [first] = passed;
  const executor = first && unwrapped(first);
  if (executor === undefined || !isFunction(executor)) return walk.visitAll(passed);
  for (const param of executor.params) if (param.type === "Identifier") walk.settlers.add(param.name);
  walk.visitAll(passed);
}

function mayBeFunction(passed: Node, callsAtOnce: boolean, settlers: ReadonlySet<string>): boolean {
  const value = unwrapped(passed);
  if (isFunction(value)) return !value.async && !callsAtOnce;
  if (value.type === "Identifier") return !NO_FUNCTIONS.has(value.name) && !settlers.has(value.name);
  return MAY_BE_FUNCTION.has(value.type);
}

function callOf(expression: Node): CallExpression | undefined {
  const value = unwrapped(expression);
  if (value.type === "ChainExpression") return callOf(value.expression);
  return value.type === "CallExpression" ? value : undefined;
}

/**
 * How the function that is called is told to the runtime, which looks whether it is an async one: by itself, or by its
 * receiver. Not told is what could be seen being read a second time.
 */
function whatIsCalled({ callee }: CallExpression, walk: Walk): { readonly hook: "s" | "t"; readonly more: string } {
  const called = unwrapped(callee);
  // A function of the file that never waits has no frame: it is known by its name.
  if (called.type === "Identifier") {
    return { hook: "s", more: walk.asyncNames.has(called.name) ? `,${called.name},true` : `,${called.name}` };
  }
  if (called.type !== "MemberExpression") return { hook: "s", more: "" };
  const { object, property } = called;
  if (object.type !== "ThisExpression" && object.type !== "Identifier") return { hook: "s", more: "" };
  const receiver = walk.code.slice(object.start, object.end);
  return property.type === "PrivateIdentifier"
    ? { hook: "s", more: `,${receiver}.#${property.name}` }
    : { hook: "t", more: `,${receiver}` };
}

/** The last name in what is called: `b` in `a.b()`. */
function nameOfCallee({ callee }: CallExpression): string | undefined {
  const called = unwrapped(callee);
  if (called.type === "Identifier") return called.name;
  if (called.type !== "MemberExpression" || called.computed) return undefined;
  const { type, name } = called.property;
  return type === "PrivateIdentifier" ? `#${name}` : name;
}
