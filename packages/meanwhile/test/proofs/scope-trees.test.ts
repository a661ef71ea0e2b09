// A cancellation reaches every wait in its scope, but for those behind a shield, and no other: trees of scopes drawn from a
// seed, in which waits end and scopes are cancelled in any order, held against a model.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { CancelledError, cancelScope, type CancelScope, Event, gather, isCancelled, shield } from "meanwhile";

import { seededIntegers } from "../util/random.ts";

const TREES = 500;
const DEPTH = 4;
const MOST_CHILDREN = 4;

type Below = (below: number) => number;

/** A wait, and what the model says of it. */
class Leaf {
  readonly event: Event = new Event();
  fate: "waits" | "woken" | "cancelled" = "waits";
  expected: "waits" | "woken" | "cancelled" = "waits";

  async run(): Promise<void> {
    try {
      await this.event.wait();
      this.fate = "woken";
    } catch (error) {
      assert.ok(isCancelled(error));
      this.fate = "cancelled";
      throw error;
    }
  }
}

/** A scope around children that run side by side. */
class Branch {
  readonly children: ReadonlyArray<Branch | Leaf>;
  readonly shielded: boolean;
  scope: CancelScope | null = null;

  constructor(children: ReadonlyArray<Branch | Leaf>, shielded: boolean) {
    this.children = children;
    this.shielded = shielded;
  }

  async run(): Promise<void> {
    const body = async (scope: CancelScope): Promise<void> => {
      this.scope = scope;
      await gather(this.children.map((child) => () => child.run()));
    };
    if (!this.shielded) await cancelScope(body);
    // A shield that is cancelled itself says so, unlike a scope.
    else await shield(body).catch((error: unknown) => assert.ok(error instanceof CancelledError));
  }

  /** Those whom a cancellation of this scope reaches. */
  *reached(): Iterable<Leaf> {
    for (const child of this.children) {
      if (child instanceof Leaf) yield child;
      else if (!child.shielded) yield* child.reached();
    }
  }

  *branches(): Iterable<Branch> {
    yield this;
    for (const child of this.children) if (child instanceof Branch) yield* child.branches();
  }
}

function grow(below: Below, depth: number): Branch {
  const children = Array.from({ length: 1 + below(MOST_CHILDREN) }, () =>
    depth > 0 && below(2) === 0 ? grow(below, depth - 1) : new Leaf(),
  );
  return new Branch(children, below(4) === 0);
}

function act(branches: readonly Branch[], waiting: readonly Leaf[], below: Below): string {
  if (below(3) > 0) {
    const leaf = waiting[below(waiting.length)] as Leaf;
    leaf.event.set();
    leaf.expected = "woken";
    return "wake one";
  }
  const branch = branches[below(branches.length)] as Branch;
  branch.scope?.cancel();
  for (const leaf of branch.reached()) if (leaf.expected === "waits") leaf.expected = "cancelled";
  return `cancel a scope around ${branch.children.length}`;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function check(seed: number): Promise<{ woken: number; cancelled: number }> {
  const below = seededIntegers(seed);
  const root = grow(below, DEPTH);
  const ended = root.run();
  const branches = [...root.branches()];
  const leaves = branches.flatMap(({ children }) => children.filter((child) => child instanceof Leaf));
  const steps: string[] = [];
  // A call that finds its turn used up begins in the next one.
  while (leaves.some(({ event }) => event.statistics().tasksWaiting === 0)) await nextTurn();
  for (let waiting = leaves; waiting.length > 0; waiting = leaves.filter(({ expected }) => expected === "waits")) {
    // Often more than one thing happens before anybody resumes.
    steps.push(act(branches, waiting, below));
    if (below(2) === 0) continue;
    await nextTurn();
    compare(leaves, steps, seed);
  }
  await ended;
  compare(leaves, steps, seed);
  const count = (fate: Leaf["fate"]): number => leaves.filter((leaf) => leaf.fate === fate).length;
  return { woken: count("woken"), cancelled: count("cancelled") };
}

function compare(leaves: readonly Leaf[], steps: readonly string[], seed: number): void {
  assert.deepEqual(
    leaves.map(({ fate }) => fate),
    leaves.map(({ expected }) => expected),
    `tree ${seed}: ${steps.join(", ")}`,
  );
}

describe("A cancellation in a tree of scopes", () => {
  it(`reaches every wait in its scope that no shield protects, and no other (${TREES} trees)`, async () => {
    let [woken, cancelled] = [0, 0];
    for (let seed = 0; seed < TREES; seed++) {
      const fates = await check(seed);
      woken += fates.woken;
      cancelled += fates.cancelled;
    }
    assert.ok(woken > TREES && cancelled > TREES, `${woken} woken, ${cancelled} cancelled`);
  });
});
