// The language of random programs: what statements there are, how large they can be, and how they look as text.

/** The name of a kind of statement. */
export type Kind =
  | "sleep"
  | "checkpoint"
  | "foreign"
  | "fail"
  | "block"
  | "swallow"
  | "timeout"
  | "moveOnAfter"
  | "shield"
  | "cancelScope"
  | "cancel"
  | "gather"
  | "gatherSettled"
  | "race"
  | "any"
  | "forEach"
  | "map"
  | "asCompleted"
  | "retry"
  | "coroutine"
  | "group"
  | "spawn"
  | "start"
  | "background"
  | "awaitTask"
  | "wait"
  | "cancelTask"
  | "lock"
  | "semaphore"
  | "limiter"
  | "notified"
  | "notify"
  | "put"
  | "get"
  | "tryPut"
  | "tryGet"
  | "close"
  | "waitEvent"
  | "setEvent"
  | "clearEvent"
  | "barrier"
  | "rate";

/** Statements that are run one after the other. */
export type Body = readonly Statement[];

/** One statement. What its numbers and bodies mean says its row in {@link SHAPES}. */
export interface Statement {
  readonly kind: Kind;
  readonly numbers: readonly number[];
  readonly bodies: readonly Body[];
}

/** What statements of one kind look like. */
export interface Shape {
  /** How often it comes up, beside the others that are in use. */
  readonly weight: number;
  /** Its numbers, by name, with the largest; the smallest is 0. */
  readonly numbers: Readonly<Record<string, number>>;
  /** How many bodies it has: at least, and at most. */
  readonly bodies: readonly [least: number, most: number];
}

function shape(weight: number, numbers: Shape["numbers"] = {}, bodies: Shape["bodies"] = [0, 0]): Shape {
  return { weight, numbers, bodies };
}

/** What is waited for at most, in milliseconds of the mock clock. */
const MS = 12;

/** All kinds of statements. Numbers that choose one of several things are taken modulo how many there are. */
export const SHAPES: Readonly<Record<Kind, Shape>> = {
  sleep: shape(8, { ms: MS }),
  checkpoint: shape(3),
  foreign: shape(1),
  fail: shape(3),
  /** Runs the first body; the second is its cleanup, in a shield if `shieldMs` is not 0. */
  block: shape(6, { shieldMs: 3 * MS }, [2, 2]),
  /** Goes on after any error, cancellations included. */
  swallow: shape(3, {}, [1, 1]),

  timeout: shape(3, { ms: MS }, [1, 1]),
  moveOnAfter: shape(3, { ms: MS }, [1, 1]),
  shield: shape(2, { ms: 2 * MS }, [1, 1]),
  cancelScope: shape(3, {}, [1, 1]),
  /** Cancels a scope around it, the innermost for 0. */
  cancel: shape(5, { out: 3 }),

  /** `lazy` makes coroutines of the jobs; `limit` 0 is none. */
  gather: shape(5, { limit: 2, lazy: 1 }, [1, 3]),
  gatherSettled: shape(3, { limit: 2, lazy: 1 }, [1, 3]),
  race: shape(3, { lazy: 1 }, [1, 3]),
  any: shape(3, { lazy: 1 }, [1, 3]),
  forEach: shape(2, { items: 4, limit: 2, stream: 1 }, [1, 1]),
  /** Leaves the loop after `take` results; so does asCompleted. */
  map: shape(3, { items: 4, limit: 2, stream: 1, unordered: 1, take: 4 }, [1, 1]),
  asCompleted: shape(3, { limit: 2, lazy: 1, take: 3 }, [1, 3]),
  retry: shape(2, { more: 2, waitMs: MS, timeoutMs: MS }, [1, 1]),
  /** A coroutine that is awaited again and again, or in several tasks at once. */
  coroutine: shape(2, { awaits: 2, atOnce: 1 }, [1, 1]),

  /** The first body is that of the group, each other one a task of it. */
  group: shape(6, {}, [1, 3]),
  spawn: shape(3, { out: 2 }, [1, 1]),
  start: shape(3, { out: 2 }, [2, 2]),
  /** Runs the second body beside the first, which is cancelled when that ends. */
  background: shape(3, {}, [2, 2]),
  awaitTask: shape(3, { which: 7 }),
  /** Waits for the newest tasks. */
  wait: shape(2, { until: 2, ms: MS, more: 2 }),
  cancelTask: shape(3, { which: 7 }),

  lock: shape(3, { which: 1 }, [1, 1]),
  semaphore: shape(2, {}, [1, 1]),
  limiter: shape(2, {}, [1, 1]),
  notified: shape(2),
  notify: shape(2, { count: 2 }),
  put: shape(4, { which: 2 }),
  get: shape(4, { which: 2 }),
  tryPut: shape(1, { which: 2 }),
  tryGet: shape(1, { which: 2 }),
  close: shape(1, { which: 2, immediate: 1 }),
  waitEvent: shape(2, { which: 1 }),
  setEvent: shape(2, { which: 1 }),
  clearEvent: shape(1, { which: 1 }),
  barrier: shape(2),
  rate: shape(2),
};

/** A whole program. */
export interface Program {
  /** Whether it ends by a deadline in any case; else its tasks may wait for each other for ever. */
  readonly guarded: boolean;
  readonly main: Body;
}

/** How many statements there are, at any depth. */
export function sizeOf(body: Body): number {
  return body.reduce((size, { bodies }) => size + 1 + bodies.reduce((inner, each) => inner + sizeOf(each), 0), 0);
}

/** A program as people read it. */
export function textOf({ guarded, main }: Program): string {
  return [guarded ? "main, for 1000 ms" : "main", ...linesOf(main, "  ")].join("\n");
}

function linesOf(body: Body, indent: string): string[] {
  if (body.length === 0) return [`${indent}(nothing)`];
  return body.flatMap((statement) => {
    const inner = statement.bodies.map((each) => linesOf(each, `${indent}  `));
    return [
      `${indent}${headOf(statement)}`,
      ...inner.flatMap((lines, i) => (i === 0 ? lines : [`${indent}and`, ...lines])),
    ];
  });
}

/** A statement without its bodies. */
export function headOf({ kind, numbers }: Statement): string {
  return [kind, ...Object.keys(SHAPES[kind].numbers).map((name, i) => `${name}=${numbers[i]}`)].join(" ");
}
