// Awaits that stand one after another although none needs the other's result: found in the source, weighed by what was
// measured.

import { readFileSync } from "node:fs";

import type { WaitSite } from "meanwhile/lowlevel";
import { type AwaitExpression, type Node, parseSync, type Statement, visitorKeys } from "oxc-parser";

import { SiteTableBuilder } from "../transform/site-table.ts";
import type { Times } from "./profile.ts";

/** Waits that could have been one. */
export interface Suggestion {
  /** `sequence`: statements of one block. `loop`: one await, again and again. */
  readonly kind: "sequence" | "loop";
  /** The places, in the order of the source; one for a loop. */
  readonly sites: readonly WaitSite[];
  /** How long they waited in all. */
  readonly waitedMs: number;
  /** How much of that the longest of them would have taken by itself; of a loop, its longest wait. */
  readonly neededMs: number;
}

const MIN_SAVED_MS = 1;
const MIN_ROUNDS = 3;

/** What could have been waited for at once, the most promising first. */
export function suggestionsFor(waits: ReadonlyMap<WaitSite, Times>): Suggestion[] {
  const files = Map.groupBy(waits.keys(), (site) => site.file.id);
  const found = [...files].flatMap(([id, sites]) => suggestionsIn(id, sites, waits));
  return found
    .filter(({ waitedMs, neededMs }) => waitedMs - neededMs >= MIN_SAVED_MS)
    .toSorted((a, b) => b.waitedMs - b.neededMs - (a.waitedMs - a.neededMs));
}

function suggestionsIn(id: string, sites: readonly WaitSite[], waits: ReadonlyMap<WaitSite, Times>): Suggestion[] {
  const code = contentOf(id);
  if (code === null) return [];
  const places = new SiteTableBuilder(code);
  const known = new Map(sites.map((site) => [`${site.line}:${site.column}`, site]));
  const siteOf = (node: AwaitExpression): WaitSite | undefined => known.get(places.placeOf(node.start).join(":"));
  const found: Suggestion[] = [];
  eachNode(parseSync(id, code).program, (node) => {
    if (isBlock(node))
      for (const group of groupsIn(node.body, code))
        found.push(
          ...weighSequence(
            group.flatMap((one) => siteOf(one) ?? []),
            waits,
          ),
        );
    if (isCountedLoop(node)) for (const one of independentAwaitsIn(node)) found.push(...weighLoop(siteOf(one), waits));
  });
  return found;
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null; // made up by a loader, or gone
  }
}

function weighSequence(sites: readonly WaitSite[], waits: ReadonlyMap<WaitSite, Times>): Suggestion[] {
  const times = sites.flatMap((site) => waits.get(site) ?? []);
  if (times.length < 2) return [];
  const totals = times.map(({ totalMs }) => totalMs);
  return [{ kind: "sequence", sites, waitedMs: totals.reduce((a, b) => a + b), neededMs: Math.max(...totals) }];
}

function weighLoop(site: WaitSite | undefined, waits: ReadonlyMap<WaitSite, Times>): Suggestion[] {
  const times = site === undefined ? undefined : waits.get(site);
  if (site === undefined || times === undefined || times.count < MIN_ROUNDS) return [];
  return [{ kind: "loop", sites: [site], waitedMs: times.totalMs, neededMs: times.maxMs }];
}

type Block = Node & { readonly body: readonly Statement[] };

function isBlock(node: Node): node is Block {
  return node.type === "BlockStatement" || node.type === "Program";
}

/**
 * Runs of `const x = await …` in a list of statements, no member of which uses what another one has bound. Nor do two of
 * them ask the same: whoever reads twice wants one thing after the other.
 */
function groupsIn(statements: readonly Statement[], code: string): AwaitExpression[][] {
  const groups: AwaitExpression[][] = [];
  let group: AwaitExpression[] = [];
  let bound = new Set<string>();
  let texts = new Set<string>();
  for (const statement of statements) {
    const awaited = awaitedIn(statement);
    const text = awaited === null ? "" : textOf(awaited.expression.argument, code);
    if (awaited === null || usesAny(statement, bound) || texts.has(text)) {
      if (group.length > 1) groups.push(group);
      group = [];
      bound = new Set();
      texts = new Set();
    }
    if (awaited === null) continue;
    group.push(awaited.expression);
    texts.add(text);
    for (const name of awaited.names) bound.add(name);
  }
  return group.length > 1 ? [...groups, group] : groups;
}

function textOf({ start, end }: Node, code: string): string {
  return code.slice(start, end).replaceAll(/\s+/g, " ");
}

/** The await of a declaration that does nothing else, and the names it binds. What is disposed of opens in its order. */
function awaitedIn(statement: Statement): { readonly expression: AwaitExpression; readonly names: Set<string> } | null {
  if (statement.type !== "VariableDeclaration" || statement.declarations.length !== 1) return null;
  const [declared] = statement.declarations;
  if (declared?.init?.type !== "AwaitExpression" || statement.kind.endsWith("using")) return null;
  return { expression: declared.init, names: namesIn(declared.id) };
}

type Loop = Node & { readonly body: Statement };

/** A loop whose rounds are known before the first one: not one that asks again and again until something is so. */
function isCountedLoop(node: Node): node is Loop {
  if (node.type === "ForOfStatement") return !node.await;
  return node.type === "ForInStatement" || (node.type === "ForStatement" && node.test !== null);
}

function isAnyLoop({ type }: Node): boolean {
  return /^(?:For|While|DoWhile)/.test(type);
}

/**
 * The awaits of a loop that need nothing of the rounds before: no value that one round leaves for the next, neither in
 * what is awaited nor in a condition, and no round that may end the loop.
 */
function independentAwaitsIn(loop: Loop): AwaitExpression[] {
  const awaits: AwaitExpression[] = [];
  const conditions: Node[] = [];
  const declared: { readonly names: Set<string>; readonly from: Node | null }[] = [];
  const carried = new Set<string>();
  let endsEarly = false;
  eachNode(loop.body, (node) => {
    if (isFunction(node)) return false;
    if (node.type === "VariableDeclarator") declared.push({ names: namesIn(node.id), from: node.init });
    if (node.type === "AssignmentExpression") for (const name of namesIn(node.left)) carried.add(name);
    if (node.type === "UpdateExpression") for (const name of namesIn(node.argument)) carried.add(name);
    if (node.type === "BreakStatement" || node.type === "ReturnStatement") endsEarly = true;
    if (node.type === "IfStatement" || node.type === "ConditionalExpression") conditions.push(node.test);
    if (node.type === "LogicalExpression") conditions.push(node.left);
    if (node.type === "SwitchStatement") conditions.push(node.discriminant);
    return true;
  });
  eachNode(loop.body, (node) => {
    // Those of a loop further in are that loop's.
    if (isFunction(node) || isAnyLoop(node)) return false;
    if (node.type === "AwaitExpression") awaits.push(node);
    return true;
  });
  if (endsEarly || (loop.type === "ForStatement" && carriesInHead(loop))) return [];
  // What a round declares is new in each, unless it was made of what lives on.
  for (const { names } of declared) for (const name of names) carried.delete(name);
  for (const { names, from } of declared) {
    if (from !== null && usesAny(from, carried)) for (const name of names) carried.add(name);
  }
  if (conditions.some((test) => usesAny(test, carried))) return [];
  return awaits.filter((one) => !usesAny(one.argument, carried));
}

/** Whether the head of a `for` does more than count. */
function carriesInHead(loop: Loop & { readonly type: "ForStatement" }): boolean {
  let waits = false;
  for (const part of [loop.test, loop.update]) {
    if (part !== null)
      eachNode(part, (node) => {
        if (node.type === "AwaitExpression") waits = true;
      });
  }
  return waits || (loop.update !== null && loop.update.type !== "UpdateExpression");
}

function isFunction({ type }: Node): boolean {
  return type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";
}

function usesAny(node: Node, names: ReadonlySet<string>): boolean {
  return !namesIn(node).isDisjointFrom(names);
}

/** Every name in a piece of code, also of properties: one too many only costs a suggestion. */
function namesIn(node: Node): Set<string> {
  const names = new Set<string>();
  eachNode(node, (inner) => {
    if (inner.type === "Identifier") names.add(inner.name);
  });
  return names;
}

/** Calls back for a node and all inside; `false` leaves out what is inside. */
function eachNode(node: Node, callback: (node: Node) => boolean | void): void {
  if (callback(node) === false) return;
  for (const key of visitorKeys[node.type] ?? []) {
    const child: unknown = Reflect.get(node, key);
    for (const one of Array.isArray(child) ? child : [child]) if (isNode(one)) eachNode(one, callback);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
