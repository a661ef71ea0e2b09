// The walk over one file: which function's code it is in, and where the rules put what they insert.

import type { Node } from "oxc-parser";

import type { Edits } from "./edits.ts";
import type { SiteTableBuilder } from "./site-table.ts";
import { eachChild, type FunctionNode, isFunction, type NodeOf, unwrapped } from "./syntax.ts";
import type { Words } from "./words.ts";

/** A place that `break` or `continue` may lead to. */
export interface JumpTarget {
  /** What may stand in the jump; undefined for one that is reached without a label. */
  readonly label: string | undefined;
  readonly takesContinue: boolean;
  readonly cleanupDepth: number;
}

/** The function, or module, whose own code the walk is in. */
export interface Owner {
  /** The variable with its frame; undefined where the code is not instrumented. */
  readonly frame: string | undefined;
  /** The innermost frame that can be named here: its own, or that of a function around. */
  readonly visibleFrame: string | undefined;
  /** How many functions with a frame are around it, itself included. */
  readonly frames: number;
  readonly isAsyncGenerator: boolean;
  readonly isTopLevel: boolean;
  /** How many `catch` and `finally` blocks are around the place the walk is at; a disposer begins with 1. */
  cleanupDepth: number;
  readonly jumpTargets: JumpTarget[];
}

/** A rule looks at a node, and goes on to its children itself. */
export type Rules = { readonly [Type in Node["type"]]?: (node: NodeOf<Type>, walk: Walk) => void };

/** Any rule, once the node in hand is known to be of its type. */
type Rule = (node: Node, walk: Walk) => void;

export interface WalkOptions {
  readonly code: string;
  readonly words: Words;
  readonly edits: Edits;
  readonly sites: SiteTableBuilder;
  readonly rules: Rules;
  /** Where nodes begin that are to be left alone. */
  readonly optOuts: ReadonlySet<number>;
  readonly module: Owner;
  /** Names of the async functions that the file declares for all of itself. */
  readonly asyncNames: ReadonlySet<string>;
}

/** Goes through a file once, in source order. */
export class Walk {
  readonly code: string;
  readonly words: Words;
  readonly edits: Edits;
  readonly sites: SiteTableBuilder;
  readonly asyncNames: ReadonlySet<string>;
  /** Names and kinds that are known before the function is reached, from what it is assigned to. */
  readonly functionNames: Map<Node, { name: string; start: number }> = new Map<Node, { name: string; start: number }>();
  readonly disposers: Set<Node> = new Set<Node>();
  owner: Owner;
  className: string | undefined;
  guards = 0;
  /** Names that functions which settle a promise have in the file: nothing else comes of a call of them. */
  readonly settlers: Set<string> = new Set(["resolve", "reject"]);
  /** The functions that got a frame. */
  readonly instrumented: Set<Node> = new Set<Node>();
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #optOuts: ReadonlySet<number>;
  #isOptedOut = false;

  constructor(options: WalkOptions) {
    this.code = options.code;
    this.words = options.words;
    this.edits = options.edits;
    this.sites = options.sites;
    this.asyncNames = options.asyncNames;
    this.owner = options.module;
    this.#optOuts = options.optOuts;
    // Each rule is called with nodes of its own type alone, which the type of the map cannot say.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.#rules = new Map(Object.entries(options.rules).map(([type, rule]) => [type, rule as Rule]));
  }

  // One function for all nodes, not a new one for each: it is called for every node of the file.
  readonly visit = (node: Node): void => {
    if (this.#optOuts.size > 0 && !this.#isOptedOut && this.#optOuts.has(node.start)) {
      this.#isOptedOut = true;
      this.visit(node);
      this.#isOptedOut = false;
      return;
    }
    if (this.#isOptedOut && isFunction(node)) return;
    const rule = this.#rules.get(node.type);
    if (rule === undefined) eachChild(node, this.visit);
    else rule(node, this);
  };

  visitAll(nodes: ReadonlyArray<Node | null>): void {
    for (const node of nodes) if (node !== null) this.visit(node);
  }

  visitChildren(node: Node): void {
    eachChild(node, this.visit);
  }

  /** Walks code that belongs to another function. */
  within(owner: Owner, visit: () => void): void {
    const outer = this.owner;
    this.owner = owner;
    visit();
    this.owner = outer;
  }

  /** Tells the name of a function or class before it is reached, and where it begins if that is further ahead. */
  nameIfFunction(node: Node | null | undefined, name: string, start?: number): void {
    const inner = node && unwrapped(node);
    if (inner && (isFunction(inner) || inner.type === "ClassExpression")) {
      this.functionNames.set(inner, { name, start: start ?? inner.start });
    }
  }

  nameOf(node: FunctionNode): string {
    return node.id?.name ?? this.functionNames.get(node)?.name ?? "<anonymous>";
  }

  /** The arguments every hook of a wait begins with: the frame and the number of the wait. */
  site(frame: string, kind: "await" | "for await" | "yield", node: Node, waitedFor: Node | null): string {
    const { start, end } = waitedFor ?? node;
    return `${frame},${this.sites.addWait(kind, node.start, start, end)}`;
  }

  insert(at: number, text: string): void {
    this.edits.insert(at, text);
  }
}
