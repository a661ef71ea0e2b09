// Random programs: what they do is decided by a seed, and they tell of each step.

import assert from "node:assert/strict";

const KINDS = [
  "never",
  "event",
  "turns",
  "value",
  "sequence",
  "all",
  "race",
  "any",
  "allSettled",
  "byHand",
  "pMap",
  "pLimit",
  "stored",
  "orphans",
  "shield",
  "scope",
  "group",
  "generator",
] as const;
const LEAVES = 4;

/** What one function does. */
export interface Plan {
  readonly kind: (typeof KINDS)[number];
  readonly number: number;
  readonly throws: boolean;
  readonly cleanupTurns: number;
  readonly children: readonly Plan[];
}

/** A generator of numbers below 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes a plan some levels deep. */
function makePlan(random: () => number, depth: number): Plan {
  const below = (limit: number): number => Math.floor(random() * limit);
  const kind = KINDS[depth === 0 ? below(LEAVES) : below(KINDS.length)] as Plan["kind"];
  const isLeaf = KINDS.indexOf(kind) < LEAVES;
  return {
    kind,
    number: below(4),
    throws: random() < 0.1,
    cleanupTurns: random() < 0.5 ? 0 : 1 + below(4),
    children: isLeaf ? [] : Array.from({ length: 1 + below(3) }, () => makePlan(random, depth - 1)),
  };
}

/** One function that runs. */
export class Activation {
  readonly plan: Plan;
  readonly isShielded: boolean;
  readonly #parent: Activation | null;
  readonly #begun: Activation[] = [];
  #state: "new" | "runs" | "cleans up" | "has ended" = "new";

  constructor(plan: Plan, parent: Activation | null = null) {
    this.plan = plan;
    this.#parent = parent;
    this.isShielded = plan.kind === "shield" || parent?.isShielded === true;
  }

  /** Those it is going to call. */
  children(): Activation[] {
    return this.plan.children.map((plan) => new Activation(plan, this));
  }

  begins(): void {
    this.#become("new", "runs");
    if (this.#parent !== null) this.#parent.#begun.push(this);
  }

  resumes(): void {
    assert.equal(this.#state, "runs");
  }

  /** It is told of an error. If that is its cancellation, nothing may run any more that it has begun. */
  catches(_error: unknown, isOurs: boolean): void {
    if (isOurs) assert.deepEqual(this.running(), [], `what "${this.plan.kind}" has begun`);
  }

  cleansUp(): void {
    this.#become("runs", "cleans up");
  }

  ends(): void {
    this.#become("cleans up", "has ended");
  }

  /** How many functions have begun, itself included. */
  size(): number {
    return this.#begun.reduce((sum, child) => sum + child.size(), 1);
  }

  /** What was begun below it and has not ended. */
  running(): string[] {
    return this.#begun.flatMap((child) => [
      ...(child.#state === "has ended" ? [] : [`"${child.plan.kind}" ${child.#state}`]),
      ...child.running(),
    ]);
  }

  #become(from: string, to: "runs" | "cleans up" | "has ended"): void {
    assert.equal(this.#state, from, `"${this.plan.kind}" ${to}`);
    this.#state = to;
  }
}

/** A random program, and when it is cancelled. */
export interface RandomProgram {
  readonly root: Activation;
  readonly cancelAfter: number;
}

/** Makes the program of a seed. */
export function programOf(seed: number): RandomProgram {
  const random = randomFrom(seed);
  const plan = makePlan(random, 1 + Math.floor(random() * 4));
  return { root: new Activation(plan), cancelAfter: Math.floor(random() * 12) };
}
