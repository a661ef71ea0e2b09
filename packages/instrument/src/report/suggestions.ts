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
  const code = textOf(id);
  if (code === null) return [];
  const places = new SiteTableBuilder(code);
  const known = new Map(sites.map((site) => [`${site.line}:${site.column}`, site]));
  const siteOf = (node: AwaitExpression): WaitSite | undefined => known.get(places.placeOf(node.start).join(":"));
  const found: Suggestion[] = [];
  eachNode(parseSync(id, code).program, (node) => {
    if (isBlock(node))
      for (const group of groupsIn(node.body))
        found.push(
          ...weighSequence(
            group.flatMap((one) => siteOf(one) ?? []),
            waits,
          ),
        );
    if (isLoop(node)) for (const one of independentAwaitsIn(node)) found.push(...weighLoop(siteOf(one), waits));
  });
  return found;
}

function textOf(file: string): string | null {
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

/** Runs of `const x = await …` in a list of statements, no member of which uses what another one has bound. */
function groupsIn(statements: readonly Statement[]): AwaitExpression[][] {
  const groups: AwaitExpression[][] = [];
  let group: AwaitExpression[] = [];
  let bound = new Set<string>();
  for (const statement of statements) {
    const awaited = awaitedIn(statement);
    if (awaited === null || usesAny(awaited.expression, bound)) {
      if (group.length > 1) groups.push(group);
      group = [];
      bound = new Set();
    }
    if (awaited === null) continue;
    group.push(awaited.expression);
    for (const name of awaited.names) bound.add(name);
  }
  return group.length > 1 ? [...groups, group] : groups;
}

/** The await of a declaration that does nothing else, and the names it binds. */
function awaitedIn(statement: Statement): { readonly expression: AwaitExpression; readonly names: Set<string> } | null {
  if (statement.type !== "VariableDeclaration" || statement.declarations.length !== 1) return null;
  const [declared] = statement.declarations;
  if (declared?.init?.type !== "AwaitExpression") return null;
  return { expression: declared.init, names: namesIn(declared.id) };
}

function isLoop(node: Node): boolean {
  return (
    (node.type === "ForOfStatement" && !node.await) || node.type === "ForStatement" || node.type === "ForInStatement"
  );
}

/** The awaits of a loop whose operand uses nothing that the loop itself changes. */
function independentAwaitsIn(loop: Node): AwaitExpression[] {
  const awaits: AwaitExpression[] = [];
  const changed = new Set<string>();
  const own = new Set<string>();
  eachNode(loop, (node) => {
    if (node !== loop && isFunction(node)) return false;
    if (node.type === "AwaitExpression") awaits.push(node);
    if (node.type === "VariableDeclarator") for (const name of namesIn(node.id)) own.add(name);
    if (node.type === "AssignmentExpression") for (const name of namesIn(node.left)) changed.add(name);
    return true;
  });
  // What a round declares is new in each; what it assigns to lives on, unless it is the round's own.
  const kept = new Set([...changed].filter((name) => !own.has(name)));
  return awaits.filter((one) => !usesAny(one.argument, kept));
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
